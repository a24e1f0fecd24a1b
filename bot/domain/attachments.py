"""Files that came with a message: what may be taken in, and what became of each."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from bot.domain.dialogue import Image
from bot.domain.events import Attachment
from bot.domain.text import display_name

Kind = Literal["text", "pdf", "docx", "images"]
TYPES: dict[Kind, tuple[str, ...]] = {  # beginnings of media types
    "text": ("text/", "application/json"),
    "pdf": ("application/pdf",),
    "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document",),
    "images": ("image/gif", "image/jpeg", "image/png", "image/webp"),
}
_MARK = "[attached then, not shown any more: "


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSettings:
    """Which files are opened, how large they may be, and how many come with one message."""

    enabled: bool = True
    types: tuple[Kind, ...] = ("text", "pdf", "docx", "images")
    max_files: int = 8
    max_bytes: int = 10_000_000
    transcriber: str = ""  # one of [models.…] that writes recordings down; empty: none are heard
    language: str = ""  # that most people speak there, like "en"; empty: it finds out


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """One file, as far as it could be opened."""

    name: str  # safe to show
    text: str = ""
    note: str = ""  # what of it is not there; empty when nothing is
    refused: str = ""  # one sentence why nothing of it is there
    image: Image | None = None
    spoken: bool = False  # a recording: the text is what the person says


def noted(text: str, attachments: Iterable[Attachment]) -> str:
    """Return a text as it is remembered: with the names of its files, not with what they say."""
    names = ", ".join(display_name(file.name) for file in attachments)
    return f"{text}\n\n{_MARK}{names}]".lstrip() if names else text


def unnoted(text: str) -> str:
    """Return a remembered text as it was written."""
    return text.rpartition(_MARK)[0].removesuffix("\n\n") if _MARK in text else text
