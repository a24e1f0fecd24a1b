"""Reading a file in tests: what it is, how long it may take, and how little it may cost here."""

import resource
import time

import pytest

from bot.backends.files.reading import FileReader
from bot.domain.errors import FileRefused
from bot.ports.files import Downloaded, Read


async def read(data, kind="text/plain", *, characters=1_000, seconds=20.0) -> Read:
    """Read a file; this process must neither grow nor wait for it."""
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    try:
        reader = FileReader(characters=characters, seconds=seconds)
        return await reader.read(Downloaded(data=data, type=kind, name="file"))
    finally:
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown < 20_000  # kB
        assert time.monotonic() - began < seconds + 3


async def refusal(data, kind="text/plain", **options) -> str:
    with pytest.raises(FileRefused) as caught:
        await read(data, kind, **options)
    return str(caught.value)
