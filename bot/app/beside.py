"""What runs beside the answers as long as the program does: whoever breaks down begins anew."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from bot.core.dispatcher import is_the_end

log = logging.getLogger(__name__)
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 600.0  # seconds before it begins anew; doubles each time


async def lasting(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Run something until it is done or cancelled, whatever goes wrong in it."""
    pause = FIRST_PAUSE
    while True:
        began = time.monotonic()
        try:
            return await run()
        except BaseException as error:
            if is_the_end(error):
                raise
            if time.monotonic() - began > LONGEST_PAUSE:
                pause = FIRST_PAUSE
            log.error("%s broke down, again in %g s: %s", name, pause, named(error))  # noqa: TRY400
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def named(error: BaseException) -> str:
    """Name what went wrong; its text may quote people."""
    several = error.exceptions if isinstance(error, BaseExceptionGroup) else (error,)
    return ", ".join(type(one).__name__ for one in several)
