"""The control socket of a running bot: one line of JSON in, one line of JSON out.

Only the user that runs the bot (and root) can open it. `{"verb": "status"}` is answered with
`{"result": …}` or `{"error": "one sentence"}`.
"""

import asyncio
import json
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from bot.domain.errors import ConfigError, ParleyError
from bot.ops.socket_path import address

log = logging.getLogger(__name__)
READ_S = 5.0  # seconds for a request to arrive
LONGEST = 64_000_000  # bytes of a request: a document's passages travel in one
LONG = 100_000  # bytes, from which on a request is parsed beside the loop

Verbs = Mapping[str, Callable[[Mapping[str, Any]], Awaitable[Any]]]


@asynccontextmanager
async def listening(path: Path, verbs: Verbs) -> AsyncIterator[None]:
    """Answer on the socket file until the block ends; not where a disk has no sockets.

    Raises:
        ConfigError: another bot listens there, or the path is too long.
    """
    try:
        listener = _bound(path)
    except OSError as error:  # some folders that are shared into a container
        log.warning("no control socket, so `parley status` will not answer: %s", error.strerror)
        yield
        return
    server = await asyncio.start_unix_server(partial(_answer, verbs), sock=listener, limit=LONGEST)
    try:
        yield
    finally:
        server.close()
        _remove(path)


def _bound(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)  # from its first moment on the file is ours alone
    try:
        with address(path) as name:
            _remove_stale(path, name)
            listener.bind(name)
    except (OSError, ConfigError):
        listener.close()
        raise
    finally:
        os.umask(before)
    return listener


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _remove_stale(path: Path, name: str) -> None:
    """Take away the socket file of a bot that was killed; a living one answers."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(name)
        except FileNotFoundError:
            return None
        except OSError:
            return _remove(path)
    raise ConfigError(f"data_dir: another Parley listens on {path}; give this one its own data_dir")


async def _answer(verbs: Verbs, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):  # who asked is gone
        writer.write(json.dumps(await _reply(verbs, reader)).encode() + b"\n")
        await writer.drain()
    writer.close()


async def _reply(verbs: Verbs, reader: asyncio.StreamReader) -> dict[str, Any]:
    try:
        async with asyncio.timeout(READ_S):
            request = await _parsed(await reader.readline())
        verb = verbs[request["verb"]]
    except (TimeoutError, ValueError, KeyError, TypeError):
        return {"error": "this is no request that the running Parley knows; is it another version?"}
    try:
        return {"result": await verb(request)}
    except ParleyError as error:
        return {"error": str(error)}


async def _parsed(line: bytes) -> Any:
    return await asyncio.to_thread(json.loads, line) if len(line) > LONG else json.loads(line)
