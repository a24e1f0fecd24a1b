"""What is remembered beside the lanes: lines of conversations, settings, marks."""

import sqlite3
from collections.abc import Awaitable, Mapping, Sequence

import aiosqlite

from bot.backends.sqlite.summaries import COLUMNS, made
from bot.backends.sqlite.writer import Writer
from bot.ports.store import Question, Remembered, Since

RECALL = """select id, role, text, name, size, tokens, event from lines
where memory = ?1 and id < ?3 and event <> ?4
  and coalesce((select epoch from memories where key = ?1), 0) = coalesce(?2,
    (select epoch from memories where key = ?1), 0)
order by id desc limit ?5"""
SINCE = f"""select l.id, role, l.text, name, size, l.tokens, event,
  (select count(*) from lines where memory = ?1 and id between ?3 and ?4), {COLUMNS}
from lines l left join summaries s on l.id = ?4 and s.memory = ?1 and s.epoch = ?2
where l.memory = ?1 and l.id >= ?4
  and coalesce((select epoch from memories where key = ?1), 0) = ?2
order by l.id desc"""
LAST_QUESTION = """select id, event, text, message, person, name, lane, at from lines
where memory = ? and role = 'user' and substr(event, 1, 6) <> 'heard ' order by id desc limit 1"""
NEWEST = (1 << 63) - 1


class SqliteRecords:
    """Memory, Settings and Marks; `bot.ports.store` says what each method does."""

    def __init__(self, writer: Writer, reader: aiosqlite.Connection) -> None:
        self._writer, self._reader = writer, reader

    # ---- Memory

    async def recall(self, key: str, epoch: int | None, *, limit: int, before: int | None = None,
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
        still, *summary = rows[-1][7:]
        recap = None if summary[0] is None else made(summary)
        return Since(still, [Remembered._make(row[:7]) for row in rows[:-1]], recap)

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
        rows = await self._reader.execute_fetchall(LAST_QUESTION, (key,))
        for id, event, text, message, person, name, lane, at in rows:
            return Question(
                id=id,
                event=event,
                text=text,
                message=message,
                person=person,
                name=name,
                lane=lane,
                at=at,
            )
        return None

    def counted(self, tokens: Mapping[int, int]) -> Awaitable[None]:
        """Store token counts, so that each line is counted once; nobody waits, so they go along."""
        values = [(count, id) for id, count in tokens.items()]

        def work(db: sqlite3.Connection) -> None:
            db.executemany("update lines set tokens = ? where id = ?", values)

        return self._writer.put(work, along=True)

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

    async def active(self, *, since: float) -> frozenset[str]:
        """Read them from the messages that carry answers."""
        sql = "select distinct lane from answers where at >= ?"
        rows = await self._reader.execute_fetchall(sql, (since,))
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
