"""Closes a server without leaving behind what it accepts in that moment."""

import asyncio

from aiohttp import web


async def close(runner: web.AppRunner) -> None:
    """Accept nothing more, let what was accepted arrive, and close everything.

    A connection that asyncio accepts while its server is closed is forgotten, never closed.
    """
    loop = asyncio.get_running_loop()
    for site in runner.sites:
        for listening in site._server.sockets:
            loop.remove_reader(listening.fileno())
    for _ in range(2):  # an accepted connection needs one turn of the loop, and one more to begin
        await asyncio.sleep(0)
    await runner.cleanup()
