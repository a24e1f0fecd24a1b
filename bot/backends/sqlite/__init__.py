"""The store in one file: SQLite through aiosqlite, WAL, `synchronous=FULL`, one writer.

Rooms: `writer` groups commits · `schema` opens, locks and migrates the file · `lanes` and `rows`
hold the turns · `records` holds memory, usage, settings and marks · `store` is the sum.
"""
