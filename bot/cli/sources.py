"""What `parley knowledge add` is told to read: files, folders and addresses."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bot.backends.documents.reading import SYNONYMS
from bot.backends.files.reading import FORMATS
from bot.backends.files.walking import Walk, is_gone, walk
from bot.domain.errors import ConfigError, NoDocument
from bot.ports.files import Downloaded

WEB = ("https://", "http://")
ENDINGS = frozenset((
    ".csv", ".docx", ".htm", ".html", ".markdown", ".md", ".pdf", ".rst", ".tab", ".text", ".tsv",
    ".txt", ".xhtml",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """A file or an address that is to be read."""

    place: str
    named: bool = False  # by the operator, so that it is a failure when it cannot be read
    link: str | None = None

    @property
    def web(self) -> bool:
        """Whether it is an address."""
        return self.place.startswith(WEB)


def sources(named: str, link: str | None, own: Iterable[Path]) -> tuple[list[Source], Walk]:
    """Return what is to be read of a named place, and how it was found.

    Args:
        named: by the operator.
        link: where people can open it.
        own: the bot's files and folders, which are not meant by a folder around them.

    Raises:
        ConfigError: it is not there.
    """
    if named.startswith(WEB):
        return [Source(named, named=True, link=named if link is None else link)], Walk()
    path = Path(named)
    if not named.strip() or is_gone(path):
        raise ConfigError(f"{named or repr(named)}: there is no such file or folder")
    try:
        walked = walk(path)
    except OSError as error:
        raise ConfigError(f"{named}: cannot be read: {error.strerror}") from error
    if walked.folder is None:
        return [Source(str(file), named=True, link=link) for file in walked.files], walked
    folder = walked.folder.resolve()
    inside = [one for one in (one.resolve() for one in own) if one != folder]
    inside = [one for one in inside if one.is_relative_to(folder)]
    found: list[Source] = []
    for file in walked.files:
        if file.name == SYNONYMS or any(file.resolve().is_relative_to(one) for one in inside):
            walked.skip("Parley's own")
            continue
        name = quote(str(file.relative_to(walked.folder)))
        below = f"{link.rstrip('/')}/{name}" if link else link
        found.append(Source(str(file), link=below))
    return found, walked


def expect_document(file: Downloaded) -> None:
    """Take no key, program or copy for a document that happens to lie in a folder.

    Raises:
        NoDocument: it could be read, but does not end as documents do.
    """
    read = file.type in FORMATS and not file.type.startswith("image/")
    if read and Path(file.name).suffix.lower() not in ENDINGS:
        raise NoDocument("It does not end as documents do; name it to add it all the same.")
