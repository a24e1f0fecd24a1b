"""Closes servers without leaving a connection open behind them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

LONGEST = 5.0  # seconds for what is closed to be gone
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def close(runner: web.AppRunner) -> None:
    """Accept nothing more, let what was accepted arrive, and close everything."""
    servers = [site._server for site in runner.sites]
    await _arrived(servers)
    await runner.cleanup()
    await _gone(servers)


@asynccontextmanager
async def serving(serve: Serve, **how: Any) -> AsyncIterator[int]:
    """Serve connections by a function; yields the port, and leaves none of them open."""
    writers: list[asyncio.StreamWriter] = []

    async def noted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await serve(reader, writer)

    server = await asyncio.start_server(noted, "127.0.0.1", 0, **how)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await _arrived([server])
        server.close()
        for writer in writers:
            writer.transport.abort()
        await _gone([server])


async def _arrived(servers: Iterable[Any]) -> None:
    """Accept nothing more; a connection that is accepted while its server closes is forgotten."""
    loop = asyncio.get_running_loop()
    for server in servers:
        for listening in server.sockets:
            loop.remove_reader(listening.fileno())
    for _ in range(2):  # an accepted connection needs one turn of the loop, and one more to begin
        await asyncio.sleep(0)


async def _gone(servers: Iterable[Any]) -> None:
    """Wait for the last connection: `wait_closed` of Python 3.11 does not."""
    async with asyncio.timeout(LONGEST):
        while any(getattr(server, "_active_count", 0) for server in servers):
            await asyncio.sleep(0.005)
