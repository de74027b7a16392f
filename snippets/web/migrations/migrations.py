# ANCHOR: keep
# ANCHOR: files
MIGRATIONS = [
    """CREATE TABLE parcel (
        id INTEGER PRIMARY KEY,
        city TEXT NOT NULL,
        status TEXT NOT NULL DEFAULT 'accepted'
    )""",
    "ALTER TABLE parcel ADD COLUMN grams INTEGER",
]
# ANCHOR_END: files


# ANCHOR: migrate
async def migrate(conn):
    """Applies the migrations that are missing: all of them, or none."""
    await conn.execute("BEGIN IMMEDIATE")
    try:
        [[version]] = await conn.execute_fetchall("PRAGMA user_version")
        if version > len(MIGRATIONS):
            raise ValueError(f"version {version} is of a newer program")
        for sql in MIGRATIONS[version:]:
            await conn.execute(sql)
        await conn.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    except BaseException:
        await conn.rollback()
        raise
    await conn.commit()
# ANCHOR_END: migrate


# ANCHOR: accept
async def accept(conn, id, city):
    sql = "INSERT INTO parcel (id, city) VALUES (?, ?)"
    await conn.execute_insert(sql, (id, city))
    await conn.commit()
# ANCHOR_END: accept


# ANCHOR: find
async def find(conn, id):
    sql = "SELECT city, status, grams FROM parcel WHERE id = ?"
    async with conn.execute(sql, (id,)) as rows:
        return await rows.fetchone()
# ANCHOR_END: find
# ANCHOR_END: keep


# What goes wrong on purpose, and what must come of it.
import asyncio
import tempfile
from pathlib import Path

import aiosqlite
from pytest import raises


async def version(conn):
    [[version]] = await conn.execute_fetchall("PRAGMA user_version")
    return version


async def names(conn):
    sql = "SELECT name FROM sqlite_schema"
    return [name for [name] in await conn.execute_fetchall(sql)]


async def main(folder):
    path = folder / "parcels.db"
    # ANCHOR: call
    async with aiosqlite.connect(path) as conn:
        await migrate(conn)
        await accept(conn, 7, "Bergen")
        parcel = await find(conn, 7)
    # ANCHOR_END: call
        assert tuple(parcel) == ("Bergen", "accepted", None)
        assert await find(conn, 8) is None
        await migrate(conn)
        assert await version(conn) == 2

    # It is stored.
    async with aiosqlite.connect(path) as conn:
        assert await find(conn, 7) == parcel

    # The second migration fails.
    MIGRATIONS.append("ALTER TABLE parcel ADD COLUMN city")
    async with aiosqlite.connect(":memory:") as conn:
        with raises(aiosqlite.OperationalError, match="duplicate column"):
            await migrate(conn)
        assert (await version(conn), await names(conn)) == (0, [])
        MIGRATIONS.pop()
        await migrate(conn)
        assert (await version(conn), await names(conn)) == (2, ["parcel"])

        # A newer program was here.
        await conn.execute("PRAGMA user_version = 3")
        with raises(ValueError):
            await migrate(conn)
        assert await version(conn) == 3

        # A misspelt column is found when the statement runs.
        with raises(aiosqlite.OperationalError, match="no such column"):
            await conn.execute("SELECT town FROM parcel")

    # Two instances start at the same time.
    path = folder / "two.db"
    async with aiosqlite.connect(path) as a, aiosqlite.connect(path) as b:
        await asyncio.gather(migrate(a), migrate(b))
        assert await version(a) == 2


with tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(Path(folder)))
