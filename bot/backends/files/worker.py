"""The process in which one foreign file is parsed; `reading` starts it and ends it.

It gives up what it may do before it looks at the file. Whatever goes wrong here ends only this
process, and means that the file cannot be read.
"""

import ctypes
import importlib
import json
import resource
import sys

from bot.backends.files.sheet import Full, Sheet
from bot.domain.errors import FileRefused

MEMORY = 512 * 1024 * 1024  # bytes
CPU = 10  # seconds
OPEN_FILES = 16  # modules are still to be imported
_NO_NEW_PRIVILEGES = 38  # of Linux's prctl


def main(form: str, characters: int) -> None:
    """Read a file of some form from standard input; answer on standard output."""
    confine()
    answer = answered(form, sys.stdin.buffer.read(), characters)
    sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=False).encode())


def confine() -> None:
    """Give up memory, time, files, children and privileges, for good."""
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        # The hard limit of time kills without a reason, so it comes a second later.
        resource.setrlimit(limit, (value, value + (limit == resource.RLIMIT_CPU)))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def answered(form: str, data: bytes, characters: int) -> dict[str, str]:
    """Return what is sent back: text and note, or why there are none."""
    sheet = Sheet(characters)
    try:
        importlib.import_module(f"bot.backends.files.formats.{form}").read(data, sheet)
    except Full:
        pass
    except FileRefused as refusal:
        return {"refused": str(refusal)}
    except MemoryError:
        return {"refused": "The file needs too much memory to be read."}
    except ModuleNotFoundError:
        return {"refused": "The operator must install parley-bot[files] for files of this kind."}
    return {"text": sheet.text, "note": sheet.note}
