"""Files of this machine that an operator names: found in folders, and read as they are."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bot.backends.files.sniffing import sniffed
from bot.domain.errors import FileRefused, NoDocument
from bot.domain.text import safe_name, storable
from bot.ports.files import Downloaded

LARGEST = 20_000_000  # bytes
NAMELESS = "name that is no Unicode"


@dataclass(slots=True)
class Walk:
    """What lies below some place: files in order, and how many were left out for which reason."""

    files: list[Path] = field(default_factory=list)
    folder: Path | None = None  # the place itself; None: it is a file
    closed: list[str] = field(default_factory=list)  # folders whose files cannot be told
    skipped: dict[str, int] = field(default_factory=dict)

    def skip(self, reason: str) -> None:
        """Count something that is left out."""
        self.skipped[reason] = self.skipped.get(reason, 0) + 1


def walk(place: Path) -> Walk:
    """Find all files in a folder and the folders below it; a file is found by itself.

    Hidden ones are left out, and links that lead out of the folder: neither was meant.
    """
    place, found = _straight(place), Walk()
    if not place.is_dir():
        found.files.append(place)
        return found
    found.folder, root = place, place.resolve()

    def unreadable(error: OSError) -> None:
        found.skip("unreadable folder")
        found.closed.append(str(error.filename))

    for folder, below, names in os.walk(place, onerror=unreadable):
        for name in [name for name in below if name.startswith(".")]:
            below.remove(name)
            found.skip("hidden")
        for path in _candidates(Path(folder), names, below, found):
            if path.resolve().is_relative_to(root):
                found.files.append(path)
            else:
                found.skip("link out of the folder")
    found.files.sort()
    return found


def _straight(place: Path) -> Path:
    """Return a place by one name, so that `docs/../docs/a.md` is not a second document."""
    straight = Path(os.path.normpath(place.absolute()))
    if straight.exists() and place.exists() and straight.samefile(place):
        return straight
    return place.resolve()  # a link stands before the `..`


def _candidates(folder: Path, names: list[str], below: list[str], found: Walk) -> Iterator[Path]:
    for name in below:
        if (folder / name).is_symlink():  # os.walk does not follow it
            found.skip("link to a folder")
    for name in names:
        path = folder / name
        if name.startswith("."):
            found.skip("hidden")
        elif storable(str(path)) != str(path):  # another one would be looked for next time
            found.skip(NAMELESS)
        elif _is_file(path):
            yield path
        else:
            found.skip("no file")


def is_gone(path: Path) -> bool:
    """Tell whether a file is no more; one that cannot be looked at may still be there."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def has_files(folder: Path) -> bool:
    """Tell whether any file lies below a folder; hidden ones do not count."""
    for _, below, names in os.walk(folder):
        below[:] = [name for name in below if not name.startswith(".")]
        if any(not name.startswith(".") for name in names):
            return True
    return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # nobody can tell: whoever reads it will say why not
        return True


def loaded(path: Path) -> Downloaded:
    """Read a file; this blocks.

    Raises:
        FileRefused: it is empty, too large, no file, or cannot be read.
    """
    try:
        if not path.is_file():
            raise FileRefused("It is no file.")
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise FileRefused(f"It cannot be read: {error.strerror}.") from error
    if len(data) > LARGEST:
        raise FileRefused(f"It is larger than {LARGEST // 1_000_000} MB.")
    if not data.strip():
        raise NoDocument("It is empty.")
    name = safe_name(storable(path.name))
    return Downloaded(data=data, type=sniffed(data, announced="", name=name), name=name)
