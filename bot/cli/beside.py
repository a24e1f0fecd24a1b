"""What verbs of operation do by themselves where no bot runs."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.backends.sqlite.store import at_rest
from bot.cli.place import expect
from bot.domain.identity import who
from bot.ops import audit as decided
from bot.ops import privacy as rights
from bot.ops.queue import verbs
from bot.ports.people import Record
from bot.ports.privacy import Forgotten


def queue(database: Path, verb: str, values: Mapping[str, int]) -> Any:
    """Do one verb of the queue on the database itself.

    Raises:
        StoreError: there is no database, or it cannot be used.
        ParleyError: what was asked cannot be done; one sentence.
    """
    expect(database)
    return asyncio.run(_done(database, verb, values))


def privacy(database: Path, verb: str, person: str) -> Any:
    """Do one verb of privacy on the database itself.

    Raises:
        StoreError: there is no database, or it cannot be used.
        ParleyError: what was asked cannot be done; one sentence.
    """
    expect(database)
    return asyncio.run(_rights(database, verb, person))


def audit(database: Path, limit: int) -> Any:
    """Read the audit log in the database itself.

    Raises:
        StoreError: there is no database, or it cannot be used.
    """
    expect(database)
    return asyncio.run(_decisions(database, limit))


async def _done(database: Path, verb: str, values: Mapping[str, int]) -> Any:
    async with at_rest(database) as store:
        return await verbs(store.backlog)[verb](values)


async def _decisions(database: Path, limit: int) -> Any:
    async with at_rest(database) as store:
        return await decided.verbs(store.people)["audit"]({"limit": limit})


async def _rights(database: Path, verb: str, person: str) -> Any:
    async with at_rest(database) as store:

        async def forget(person: str) -> Forgotten:
            now, name = time.time(), who(person, await store.people.key("people"))
            counts = await store.privacy.erase(person, at=now)
            done = Forgotten(counts=counts, complete=await store.privacy.scour())
            await store.people.note(Record(at=now, actor="parley", action="forget", subject=name))
            return done

        return await rights.verbs(store.privacy.export, forget)[verb]({"person": person})
