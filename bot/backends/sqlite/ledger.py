"""Ledger and Accounts on SQLite; `bot.ports.ledger` says what each method does."""

import sqlite3
from collections.abc import Awaitable, Mapping, Sequence
from typing import cast

import aiosqlite

from bot.backends.sqlite import accounts
from bot.backends.sqlite.writer import Writer
from bot.domain.budgets import Call, Check, Held, Limited, Refused, Spent
from bot.domain.replies import Usage

# `!` follows the space, as `~` follows what days are written with.
TOP = """select account, sum(tokens), sum(usd), sum(messages) from spent
where day >= ?1 and day < ?1 || '~' and account > ?2 || ' ' and account < ?2 || '!'
group by account order by sum(usd) desc, sum(tokens) desc, sum(messages) desc limit ?3"""


class SqliteLedger:
    """Reservations in one writer transaction each, sums from a reader."""

    def __init__(self, writer: Writer, reader: aiosqlite.Connection) -> None:
        self._writer, self._reader = writer, reader

    # ---- Ledger

    def hold(self, call: Call, checks: Sequence[Check]) -> Awaitable[Held | Refused]:
        """Check and reserve, queued at once; where nothing is checked it is written along."""
        return self._writer.put(lambda db: accounts.hold(db, call, checks), along=not checks)

    def settle(self, call: Call, usage: Usage, spent: Spent) -> Awaitable[None]:
        """Write what was used, with what the turn writes next; till then the reservation counts."""
        return self._writer.put(lambda db: accounts.settle(db, call, usage, spent), along=True)

    # ---- Accounts

    async def spent(self, account: str, period: str) -> Spent:
        """Read one sum."""
        rows = await self._reader.execute_fetchall(accounts.SPENT, (account, period))
        return accounts.as_spent(rows)

    async def top(self, kind: str, period: str, *, limit: int) -> Sequence[tuple[str, Spent]]:
        """Read the largest sums."""
        rows = await self._reader.execute_fetchall(TOP, (period, kind, limit))
        return [(account, accounts.as_spent([sums])) for account, *sums in rows]

    async def limits(self) -> Mapping[Limited, float | None]:
        """Read all of them."""
        rows = await self._reader.execute_fetchall("select scope, unit, period, most from limits")
        return {cast("Limited", tuple(what)): most for *what, most in rows}

    async def limit(self, what: Limited, most: float | None) -> None:
        """Write one."""

        def work(db: sqlite3.Connection) -> None:
            db.execute("insert or replace into limits values (?, ?, ?, ?)", (*what, most))

        await self._writer.put(work)

    async def follow(self, what: Limited) -> None:
        """Delete one."""

        def work(db: sqlite3.Connection) -> None:
            db.execute("delete from limits where scope = ? and unit = ? and period = ?", what)

        await self._writer.put(work)
