"""Socket files that lie deeper than a socket's address may be long."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.domain.errors import ConfigError

LONGEST = 100  # bytes; Linux takes 107, others 103: unix(7), "Address format"
OPEN_FILES = Path("/proc/self/fd")


@contextmanager
def address(path: Path) -> Iterator[str]:
    """Yield a name for a socket file that is short enough; it is good until the block ends.

    Raises:
        ConfigError: the path is too long, and this system knows no shorter name for it.
        OSError: its folder cannot be opened.
    """
    if len(os.fsencode(path)) <= LONGEST:
        yield str(path)
        return
    if not OPEN_FILES.is_dir():
        raise ConfigError(f"data_dir: {path} is too long for a socket; choose a shorter folder")
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"{OPEN_FILES}/{folder}/{path.name}"
    finally:
        os.close(folder)
