"""The catalogue as Discord application commands, and how it gets there.

Limits and shapes: https://discord.com/developers/docs/interactions/application-commands.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from bot.domain.commands import Catalogue, Command, Option
from bot.domain.errors import DeliveryError

_log = logging.getLogger(__name__)
_STRING = 3
_CHAT_INPUT = 1
_SERVERS_AND_DIRECT_MESSAGES = [0, 1]
_ABOUT_LIMIT = 100  # characters
_CHOICES_LIMIT = 25

Call = Callable[..., Awaitable[Any]]


def render(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Return the request body of "bulk overwrite global application commands".

    An alias becomes a command of its own, since Discord knows none. Ranks are left to the core:
    Discord's own default permissions would lock out administrators whom only our configuration
    names.
    """
    return [
        _command(name, command)
        for command in catalogue
        for name in (command.name, *command.aliases)
    ]


async def publish(call: Call, application: str, catalogue: Catalogue) -> None:
    """Register the commands, but only when Discord knows others; failures are logged, not raised.

    Args:
        call: `Session.call`.
        application: id of the bot's application.
        catalogue: every command that people may give.
    """
    path, wanted = "/applications/{application_id}/commands", render(catalogue)
    try:
        if _essence(await call("GET", path, application_id=application)) != _essence(wanted):
            await call("PUT", path, json=wanted, application_id=application)
            _log.info("discord: %d application commands registered", len(wanted))
    except DeliveryError as error:
        _log.warning("discord: the application commands could not be registered: %s", error)


def _command(name: str, command: Command) -> dict[str, Any]:
    options = sorted(command.options, key=lambda option: not option.required)  # as Discord demands
    return {
        "type": _CHAT_INPUT,
        "name": name,
        "description": command.about[:_ABOUT_LIMIT],
        "options": [_option(option) for option in options],
        "contexts": _SERVERS_AND_DIRECT_MESSAGES,
        "integration_types": [0],
    }


def _option(option: Option) -> dict[str, Any]:
    rendered: dict[str, Any] = {
        "type": _STRING,
        "name": option.name,
        "description": option.about[:_ABOUT_LIMIT],
        "required": option.required,
    }
    if option.choices:
        chosen = option.choices[:_CHOICES_LIMIT]
        rendered["choices"] = [{"name": choice, "value": choice} for choice in chosen]
    return rendered


def _essence(commands: Any) -> set[tuple[Any, ...]]:
    """Reduce commands to what people see, since Discord adds fields of its own."""
    return {
        (
            command["name"],
            command.get("description", ""),
            tuple(
                (
                    option["name"],
                    option.get("description", ""),
                    bool(option.get("required")),
                    tuple(choice["value"] for choice in option.get("choices") or ()),
                )
                for option in command.get("options") or ()
            ),
        )
        for command in commands
        if command.get("type", _CHAT_INPUT) == _CHAT_INPUT
    }
