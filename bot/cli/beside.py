"""What verbs of operation do by themselves where no bot runs."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.backends.sqlite.store import backlog_of
from bot.domain.errors import StoreError
from bot.ops.queue import verbs


def queue(database: Path, verb: str, values: Mapping[str, int]) -> Any:
    """Do one verb of the queue on the database itself.

    Raises:
        StoreError: there is no database, or it cannot be used.
        ParleyError: what was asked cannot be done; one sentence.
    """
    if not database.exists():
        raise StoreError(f"there is no database {database} yet; does --config name the right file?")
    return asyncio.run(_done(database, verb, values))


async def _done(database: Path, verb: str, values: Mapping[str, int]) -> Any:
    async with backlog_of(database) as backlog:
        return await verbs(backlog)[verb](values)
