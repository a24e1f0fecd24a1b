"""Commands: declared once, authorised and run here, rendered natively by the adapters."""

from bot.core.commands.choices import MODEL, PERSONA
from bot.core.commands.conversation import RESET, RETRY, STOP
from bot.core.commands.desk import Desk, Known, Request
from bot.core.commands.information import HELP, STATUS, USAGE, WHOAMI
from bot.domain.commands import Catalogue

CATALOGUE: Catalogue = (HELP, RESET, STOP, RETRY, WHOAMI, STATUS, MODEL, PERSONA, USAGE)

__all__ = ["CATALOGUE", "Desk", "Known", "Request"]
