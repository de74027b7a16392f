# ANCHOR: all
import asyncio

import aiosqlite

# ANCHOR: files
MIGRATIONS = [
    "CREATE TABLE parcel (id INTEGER PRIMARY KEY, city TEXT NOT NULL,"
    " status TEXT NOT NULL DEFAULT 'accepted')",
    "ALTER TABLE parcel ADD COLUMN grams INTEGER",
]
# ANCHOR_END: files


async def migrate(conn):
    rows = await conn.execute_fetchall("PRAGMA user_version")
    for version, sql in enumerate(MIGRATIONS[rows[0][0]:], rows[0][0] + 1):
        await conn.execute(sql)
        await conn.execute(f"PRAGMA user_version = {version}")
        await conn.commit()


async def main():
    async with aiosqlite.connect(":memory:") as conn:
        # ANCHOR: run
        await migrate(conn)
        await migrate(conn)  # nothing is left to do
        # ANCHOR_END: run
        rows = await conn.execute_fetchall("PRAGMA user_version")
        assert rows == [(2,)]
        rows = await conn.execute_fetchall("PRAGMA table_info(parcel)")
        columns = [row[1] for row in rows]
        assert columns == ["id", "city", "status", "grams"]


asyncio.run(main())
# ANCHOR_END: all
