"""Turns files from strangers into text, each in a process of its own.

A parser is where a hostile file does its harm: it may be wrong, endless, or run what it is given.
So none runs here. A worker gets the bytes on its standard input and answers on its standard output
with a JSON object; it has no environment, no folder, and little memory and time. What it answers is
not believed either: it may only be text, and not too long.
"""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL
from typing import Any, cast

import orjson

from bot.domain.errors import FileRefused, NoDocument
from bot.ports.files import Downloaded, Read

FORMATS = {  # media type → module of `formats`
    "application/json": "plain",
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "image/gif": "picture",
    "image/jpeg": "picture",
    "image/png": "picture",
    "image/webp": "picture",
    "text/csv": "plain",
    "text/html": "html",
    "text/markdown": "plain",
    "text/plain": "plain",
}
# The interpreter starts without site, user folder or current folder; it finds what we find.
_PATHS = (str(Path(__file__).resolve().parents[3]), *filter(os.path.isabs, sys.path))
PROGRAM = """import sys
form, characters, *sys.path = sys.argv[1:]
from bot.backends.files.worker import main
main(form, int(characters))"""
_LONGEST_ESCAPE = 6  # bytes of JSON that one character may take
_LONGEST_NOTE = 500  # characters, also of a refusal


class _Conversation(asyncio.SubprocessProtocol):
    """Gives a worker its file and hears its answer; one that talks too much is ended."""

    transport: asyncio.SubprocessTransport

    def __init__(self, most: int) -> None:
        self._most = most
        self.answer = bytearray()
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the worker."""
        self.transport = cast("asyncio.SubprocessTransport", transport)

    def ask(self, data: bytes) -> None:
        """Send the file, whole."""
        pipe = cast("asyncio.WriteTransport", self.transport.get_pipe_transport(0))
        pipe.write(data)
        pipe.write_eof()

    def pipe_data_received(self, fd: int, data: bytes) -> None:  # noqa: ARG002 (asyncio's shape)
        """Hear a piece of the answer."""
        self.answer += data
        if len(self.answer) > self._most:
            self.answer.clear()
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Learn that the worker has ended and all of its answer is there."""
        self.ended.set_result(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReader:
    """Reads text, Markdown, CSV, JSON, HTML, PDF and DOCX; measures pictures."""

    characters: int = 100_000  # what is longer is cut, and the note says so
    seconds: float = 20.0
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))  # at a time

    async def read(self, file: Downloaded) -> Read:
        """Return what a file says."""
        form = FORMATS.get(file.type)
        if form is None:
            kinds = "text, HTML, PDF, DOCX and CSV can"
            raise NoDocument(f"Files of this kind ({file.type}) cannot be read; {kinds}.")
        async with self.turns:
            return self._believed(await self._converse(form, file.data))

    async def _converse(self, form: str, data: bytes) -> _Conversation:
        transport, talk = await asyncio.get_running_loop().subprocess_exec(
            lambda: _Conversation(self.characters * _LONGEST_ESCAPE + 8 * _LONGEST_NOTE),
            *(sys.executable, "-I", "-S", "-B", "-c", PROGRAM),
            *(form, str(self.characters), *_PATHS),
            stderr=DEVNULL, env={}, cwd="/", start_new_session=True,
        )  # fmt: skip
        try:
            async with asyncio.timeout(self.seconds):
                talk.ask(data)
                await asyncio.shield(talk.ended)
        except TimeoutError:
            raise FileRefused("The file takes too long to read.") from None
        finally:
            if transport.get_returncode() is None:
                with suppress(ProcessLookupError):
                    os.killpg(transport.get_pid(), signal.SIGKILL)
            transport.close()  # also of pipes that somebody else holds open
            await talk.ended
        return talk

    def _believed(self, talk: _Conversation) -> Read:
        if talk.transport.get_returncode() == -signal.SIGXCPU:
            raise FileRefused("The file takes too long to read.")
        said: Any = None
        with suppress(orjson.JSONDecodeError):
            said = orjson.loads(talk.answer)
        match said:
            case {"refused": str(sentence)}:
                raise FileRefused(sentence[:_LONGEST_NOTE])
            case {"text": str(text), "note": str(note)}:
                return Read(text=text[: self.characters], note=note[:_LONGEST_NOTE])
        raise FileRefused("The file cannot be read; it may be damaged.")
