"""Commands: declared once, authorised and run here, rendered natively by the adapters."""

from bot.core.commands.desk import Desk, Known, Request

__all__ = ["Desk", "Known", "Request"]
