"""What is remembered beside the lanes: lines of conversations, usage, settings, marks."""

import sqlite3
from collections.abc import Awaitable, Mapping, Sequence

import aiosqlite

from bot.backends.sqlite.writer import Writer
from bot.domain.replies import Usage
from bot.ports.store import Question, Remembered, Since

RECALL = """select id, role, text, name, size, tokens, event from lines
where memory = ?1 and id < ?3 and event <> ?4
  and coalesce((select epoch from memories where key = ?1), 0) = ?2
order by id desc limit ?5"""
SINCE = """select id, role, text, name, size, tokens, event,
  (select count(*) from lines where memory = ?1 and id between ?3 and ?4)
from lines where memory = ?1 and id >= ?4
  and coalesce((select epoch from memories where key = ?1), 0) = ?2
order by id desc"""
LAST_QUESTION = """select id, event, text, message, person, name, lane from lines
where memory = ? and role = 'user' order by id desc limit 1"""
SUMS = """select coalesce(sum(input), 0), coalesce(sum(output), 0), coalesce(max(estimated), 0),
coalesce(sum(cost), 0.0) from ledger
where at >= ?1 and (?2 = '' or person = ?2) and (?3 = '' or lane = ?3)"""
NEWEST = (1 << 63) - 1


class SqliteRecords:
    """Memory, Ledger, Settings and Marks; `bot.ports.store` says what each method does."""

    def __init__(self, writer: Writer, reader: aiosqlite.Connection) -> None:
        self._writer, self._reader = writer, reader

    # ---- Memory

    async def recall(self, key: str, epoch: int, *, limit: int, before: int | None = None,
                     without: str = "") -> Sequence[Remembered]:  # fmt: skip
        """Read the newest lines of one epoch."""
        values = (key, epoch, before or NEWEST, without, limit)
        rows = await self._reader.execute_fetchall(RECALL, values)
        return [Remembered._make(row) for row in rows]

    async def since(self, key: str, epoch: int, *, first: int, last: int) -> Since | None:
        """Read what is new in one statement."""
        rows = list(await self._reader.execute_fetchall(SINCE, (key, epoch, first, last)))
        if not rows or rows[-1][0] != last:
            return None
        return Since(rows[0][7], [Remembered._make(row[:7]) for row in rows[:-1]])

    async def reset(self, key: str) -> int:
        """Raise the epoch, so that an answer that is still being written cannot come back."""

        def work(db: sqlite3.Connection) -> int:
            db.execute(
                """insert into memories values (?, 1)
                on conflict (key) do update set epoch = epoch + 1""",
                (key,),
            )
            return db.execute("delete from lines where memory = ?", (key,)).rowcount

        return await self._writer.put(work)

    async def last_question(self, key: str) -> Question | None:
        """Read the newest line of a person."""
        for id, event, text, message, person, name, lane in await self._reader.execute_fetchall(
            LAST_QUESTION, (key,)
        ):
            return Question(
                id=id,
                event=event,
                text=text,
                message=message,
                person=person,
                name=name,
                lane=lane,
            )
        return None

    def counted(self, tokens: Mapping[int, int]) -> Awaitable[None]:
        """Store token counts, so that each line is counted once."""
        values = [(count, id) for id, count in tokens.items()]

        def work(db: sqlite3.Connection) -> None:
            db.executemany("update lines set tokens = ? where id = ?", values)

        return self._writer.put(work)

    # ---- Ledger

    async def used(self, *, person: str = "", lane: str = "", since: float = 0.0) -> Usage:
        """Sum tokens."""
        input_tokens, output_tokens, estimated, _ = await self._sums(person, lane, since)
        return Usage(
            input_tokens=int(input_tokens),
            output_tokens=int(output_tokens),
            estimated=bool(estimated),
        )

    async def cost(self, *, person: str = "", lane: str = "", since: float = 0.0) -> float:
        """Sum money."""
        return (await self._sums(person, lane, since))[3]

    async def _sums(self, person: str, lane: str, since: float) -> tuple[float, ...]:
        rows = await self._reader.execute_fetchall(SUMS, (since, person, lane))
        return tuple(next(iter(rows)))

    # ---- Settings

    async def overrides(self) -> Mapping[str, Mapping[str, str]]:
        """Read all settings that were changed in chat."""
        changed: dict[str, dict[str, str]] = {}
        for lane, name, value in await self._reader.execute_fetchall("select * from overrides"):
            changed.setdefault(lane, {})[name] = value
        return changed

    async def override(self, lane: str, name: str, value: str | None) -> None:
        """Store or drop one setting."""

        def work(db: sqlite3.Connection) -> None:
            if value is None:
                db.execute("delete from overrides where lane = ? and name = ?", (lane, name))
            else:
                db.execute("insert or replace into overrides values (?, ?, ?)", (lane, name, value))

        await self._writer.put(work)

    async def joined(self) -> frozenset[str]:
        """Read the threads in which the bot has answered."""
        rows = await self._reader.execute_fetchall("select lane from joined")
        return frozenset(lane for (lane,) in rows)

    # ---- Marks

    async def read(self, platform: str) -> Mapping[str, str]:
        """Read how far each channel was read."""
        sql = "select channel, message from marks where platform = ?"
        rows = await self._reader.execute_fetchall(sql, (platform,))
        return {row[0]: row[1] for row in rows}

    def put(self, platform: str, channel: str, message: str) -> Awaitable[None]:
        """Write one mark."""

        def work(db: sqlite3.Connection) -> None:
            db.execute(
                "insert or replace into marks values (?, ?, ?)", (platform, channel, message)
            )

        return self._writer.put(work)
