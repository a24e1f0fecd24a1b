"""What a command looks like; adapters render it natively, the core runs it and checks the rank."""

from dataclasses import dataclass
from typing import Literal

Rank = Literal["everyone", "moderator", "admin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One word or phrase that follows a command's name."""

    name: str
    about: str
    required: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command as people see it: `[a-z][a-z0-9_]{0,31}`, one line about it, textual options."""

    name: str
    about: str  # at most 100 characters, as Discord has it
    rank: Rank = "everyone"
    options: tuple[Option, ...] = ()
    aliases: tuple[str, ...] = ()


Catalogue = tuple[Command, ...]


def slash(platform: str) -> str:
    """Return what people type before a command's name; Slack has one command for all of them."""
    return "/parley " if platform == "slack" else "/"
