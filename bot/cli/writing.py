"""Files that a verb writes for its operator alone."""

import os
from pathlib import Path

from bot.domain.errors import ParleyError


def write_new(output: Path, text: str) -> None:
    """Write a file that only its owner may read.

    Raises:
        ParleyError: there is one already, or it cannot be written.
    """
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ParleyError(f"{output}: cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{text}\n")
