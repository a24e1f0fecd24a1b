"""Files and pages from elsewhere: fetching them, and turning them into text.

What arrives was made by strangers. Only these two doors touch it: one that refuses to be sent to
places that are nobody's business, and one that does the parsing where it can do no harm.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from bot.domain.replies import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be fetched, from where, and what it may be.

    Hosts are names; one that begins with a dot stands for everything below it.
    """

    url: str = field(repr=False)  # on some platforms it carries the token
    types: tuple[str, ...]  # beginnings of media types; a web page only where "text/html" is named
    max_bytes: int
    hosts: tuple[str, ...] | None = None  # None: any public one
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    token_hosts: tuple[str, ...] = ()  # the only ones that `headers` are sent to


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded:
    """A file that arrived."""

    data: bytes = field(repr=False)
    type: str  # as its first bytes say, not as it was announced
    name: str  # for people and prompts; never a path


class Downloads(Protocol):
    """Fetches files and pages."""

    async def fetch(self, wanted: Wanted) -> Downloaded:
        """Return a file that keeps to what was asked for.

        Raises:
            FileRefused: it does not, cannot be reached, or lies where nobody may be sent.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a file says."""

    text: str = field(default="", repr=False)  # nothing for a picture, which is passed on as it is
    note: str = ""  # what was left out and what is uncertain; empty when nothing is


class Reader(Protocol):
    """Turns files into plain text."""

    async def read(self, file: Downloaded) -> Read:
        """Return the text of a document; a picture is only measured.

        Raises:
            FileRefused: it is damaged, of another kind, or takes more room or time than it may.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What is said in a recording."""

    text: str = field(repr=False)
    usage: Usage | None = None  # None: the server did not count


@runtime_checkable
class Transcriber(Protocol):
    """Writes down what is said."""

    async def transcribe(self, file: Downloaded, language: str) -> Recording:
        """Return the words of a recording; `language` is a hint like "en", or empty.

        Raises:
            ModelError: nothing could be heard now.
        """
        ...
