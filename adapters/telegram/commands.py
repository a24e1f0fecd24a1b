"""The command menus: what they hold, and how they are published.

Telegram shows administrators of a group another menu than everybody else. A menu only helps with
typing; the core checks who may use a command.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from bot.domain.commands import Catalogue
from bot.domain.errors import DeliveryError

log = logging.getLogger(__name__)

Call = Callable[[str, dict[str, Any]], Awaitable[Any]]  # a method of the Bot API, its arguments
MENU_LIMIT = 100  # commands: core.telegram.org/bots/api#setmycommands


def everyone(catalogue: Catalogue) -> Catalogue:
    """Return the commands that everyone may use."""
    return tuple(command for command in catalogue if command.rank == "everyone")


def lines(catalogue: Catalogue) -> list[str]:
    """Return commands as @BotFather reads them: `name - what it does`."""
    return [f"{command.name} - {command.about}" for command in catalogue]


def names(catalogue: Catalogue) -> dict[str, str]:
    """Return each name and alias with the name of its command."""
    return {
        name: command.name for command in catalogue for name in (command.name, *command.aliases)
    }


async def publish(catalogue: Catalogue, call: Call) -> None:
    """Set the menus that differ; a failure is logged, since typed commands work without them."""
    menus = {
        "default": everyone(catalogue),
        "all_private_chats": everyone(catalogue),
        "all_chat_administrators": catalogue,
    }
    try:
        for kind, shown in menus.items():
            scope = {"scope": {"type": kind}}
            wanted = [{"command": c.name, "description": c.about} for c in shown[:MENU_LIMIT]]
            if await call("getMyCommands", scope) != wanted:
                await call("setMyCommands", {"commands": wanted, **scope})
    except DeliveryError as error:
        log.warning("telegram: the command menus could not be published: %s", error)
