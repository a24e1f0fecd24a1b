"""Which documents are no more at their source, and which of them `--prune` leaves all the same.

A folder in which none of its documents is any more may only be a disk that is not mounted. What
was said of them, like owner and review, would be lost for good.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bot.backends.files.walking import has_files, is_gone
from bot.ports.library import Document

NAMED = 20  # documents in a sentence, at most


def gone(known: Iterable[Document]) -> list[Document]:
    """Return the documents whose file is no more."""
    return [one for one in known if one.source.startswith("/") and is_gone(Path(one.source))]


def bare(lost: Iterable[Document]) -> list[str]:
    """Return the folders of lost documents in which no file is any more, without those below."""
    found: list[Path] = []
    for folder in sorted({Path(one.source).parent for one in lost}):
        below = bool(found) and folder.is_relative_to(found[-1])
        if not below and not has_files(folder):
            found.append(folder)
    return [f"{folder}/" for folder in found]


def spared(lost: Sequence[Document], folders: Iterable[str]) -> Mapping[str, Sequence[Document]]:
    """Return what is left alone in each folder, where it is anything."""
    below = {folder: [one for one in lost if one.source.startswith(folder)] for folder in folders}
    return {folder: documents for folder, documents in below.items() if documents}


def sentence(documents: Sequence[Document]) -> str:
    """Say that they are left alone, and how to remove them on purpose."""
    ids = " ".join(str(one.id) for one in documents) if len(documents) <= NAMED else "ID…"
    return (
        "None of its documents is there any more, so --prune leaves them; "
        f"`parley knowledge remove {ids}` removes them."
    )
