"""What must hold before a message is answered; a check that fails raises `Declined`."""

from bot.core.checks.access import Access, Check

__all__ = ["Access", "Check"]
