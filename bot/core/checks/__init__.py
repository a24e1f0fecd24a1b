"""What must hold before a message is answered; a check that fails raises `Declined`."""

from bot.core.checks.access import Access, Check
from bot.core.checks.spending import Spending

__all__ = ["Access", "Check", "Spending"]
