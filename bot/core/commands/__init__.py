"""Commands: declared once, authorised and run here, rendered natively by the adapters."""

from bot.core.commands.choices import MODEL, PERSONA
from bot.core.commands.conversation import RESET, RETRY, STOP
from bot.core.commands.desk import Desk, Known, Request
from bot.core.commands.information import HELP, STATUS, WHOAMI
from bot.core.commands.privacy import EXPORT, FORGET_ME, MEMORY, PRIVACY
from bot.core.commands.spending import USAGE
from bot.domain.commands import Catalogue

CATALOGUE: Catalogue = (
    HELP, RESET, STOP, RETRY, WHOAMI, STATUS, MODEL, PERSONA, USAGE, MEMORY, PRIVACY, EXPORT,
    FORGET_ME,
)  # fmt: skip

__all__ = ["CATALOGUE", "Desk", "Known", "Request"]
