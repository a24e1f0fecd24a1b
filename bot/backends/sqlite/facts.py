"""What people want to be known about them, on SQLite: `bot.ports.memory.Facts`."""

import sqlite3
from collections.abc import Sequence

import aiosqlite

from bot.backends.sqlite.writer import Writer
from bot.ports.memory import Fact

OF = """select id, text from known_facts where person = ?1 and private = ?3
and (private or lane = ?2) order by id"""
ADD = """insert into known_facts (person, lane, private, text, at) select ?1, ?2, ?3, ?4, ?5
where (select count(*) from known_facts where person = ?1) < ?6"""


class SqliteFacts:
    """Reads beside the writer."""

    def __init__(self, writer: Writer, reader: aiosqlite.Connection) -> None:
        self._writer, self._reader = writer, reader

    async def people(self) -> frozenset[str]:
        """Read who has any."""
        rows = await self._reader.execute_fetchall("select distinct person from known_facts")
        return frozenset(person for (person,) in rows)

    async def of(self, person: str, place: str, *, private: bool) -> Sequence[Fact]:
        """Read those of one person that may be used in a place."""
        rows = await self._reader.execute_fetchall(OF, (person, place, private))
        return [Fact(id=id, text=text) for id, text in rows]

    async def add(
        self, person: str, place: str, text: str, *, private: bool, at: float, most: int
    ) -> bool:
        """Add one, unless there are enough."""
        values = (person, place, private, text, at, most)
        return bool(await self._writer.put(lambda db: db.execute(ADD, values).rowcount))

    async def rewrite(self, id: int, person: str, text: str) -> bool:
        """Change one of theirs; an empty text deletes it."""

        def work(db: sqlite3.Connection) -> int:
            if not text:
                sql = "delete from known_facts where id = ? and person = ?"
                return db.execute(sql, (id, person)).rowcount
            sql = "update known_facts set text = ? where id = ? and person = ?"
            return db.execute(sql, (text, id, person)).rowcount

        return bool(await self._writer.put(work))
