"""Point reads and a bulk insert, by SQLAlchemy and by the drivers alone."""

import asyncio
import itertools
import json
from dataclasses import dataclass
from time import perf_counter

import aiosqlite
import asyncpg
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from measure import ARGUMENT, DATA, WAY, measure

WHAT = ARGUMENT
# asyncpg uses the socket's folder only if the URL has no host.
DATABASE = DATA.replace("@localhost/", "@/")
ROWS = 10_000
SQL = "SELECT id, email, phone FROM member WHERE email = "


class Base(DeclarativeBase):
    pass


class Member(Base):
    __tablename__ = "member"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    phone: Mapped[str | None]


@dataclass(slots=True)
class Found:
    """A row, as it is built where a driver is used alone."""

    id: int
    email: str
    phone: str | None


def emails(count):
    return [f"member-{n % ROWS}@example.org" for n in range(count)]


async def timed(reads, at_once):
    """Runs the reads, `at_once` at a time. Returns the seconds and the rows."""
    start = perf_counter()
    left = iter(reads)

    async def one_after_the_other():
        return [await read for read in left]

    found = await asyncio.gather(
        *(one_after_the_other() for _ in range(at_once))
    )
    seconds = perf_counter() - start
    return seconds, list(itertools.chain(*found))


async def read_by_sessions(engine, count):
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    async def find(email):
        async with sessions() as session:
            query = select(Member).filter_by(email=email)
            return await session.scalar(query)

    return await timed(map(find, emails(count)), AT_ONCE)


async def read_by_core(engine, count):
    table = Member.__table__
    query = select(table)

    async def find(email):
        async with engine.connect() as connection:
            rows = await connection.execute(query.where(table.c.email == email))
            return rows.one()

    return await timed(map(find, emails(count)), AT_ONCE)


async def read_by_aiosqlite(connection, count):
    async def find(email):
        # One trip to the connection's thread, where a cursor makes three.
        ((id, email, phone),) = await connection.execute_fetchall(
            SQL + "?", (email,)
        )
        return Found(id, email, phone)

    return await timed(map(find, emails(count)), AT_ONCE)


async def read_by_asyncpg(pool, count):
    async def find(email):
        return Found(**await pool.fetchrow(SQL + "$1", email))

    return await timed(map(find, emails(count)), AT_ONCE)


def new_rows():
    return [{"email": f"new-{n}@example.org"} for n in range(ROWS)]


async def insert_by_core(engine, rounds):
    """Inserts by the fastest of SQLAlchemy's ways."""
    seconds = 0
    for _ in range(rounds):
        rows = new_rows()
        start = perf_counter()
        async with engine.begin() as connection:
            await connection.execute(insert(Member.__table__), rows)
        seconds += perf_counter() - start
        async with engine.begin() as connection:
            deleted = await connection.exec_driver_sql(DELETE)
            assert deleted.rowcount == ROWS
    return seconds


async def insert_by_aiosqlite(connection, rounds):
    seconds = 0
    sql = "INSERT INTO member (email) VALUES (?)"
    for _ in range(rounds):
        rows = [(row["email"],) for row in new_rows()]
        start = perf_counter()
        if WAY == "json":
            emails = json.dumps([email for (email,) in rows])
            await connection.execute(
                "INSERT INTO member (email) SELECT value FROM json_each(?)",
                (emails,),
            )
        elif WAY == "one_by_one":
            for row in rows:
                await connection.execute_insert(sql, row)
        else:
            await connection.executemany(sql, rows)
        await connection.commit()
        seconds += perf_counter() - start
        async with connection.execute(DELETE) as cursor:
            assert cursor.rowcount == ROWS
        await connection.commit()
    return seconds


async def insert_by_asyncpg(pool, rounds):
    seconds = 0
    for _ in range(rounds):
        rows = [(row["email"],) for row in new_rows()]
        start = perf_counter()
        if WAY == "unnest":
            sql = "INSERT INTO member (email) SELECT * FROM UNNEST($1::TEXT[])"
            await pool.execute(sql, [email for (email,) in rows])
        elif WAY == "copy":
            async with pool.acquire() as connection:
                await connection.copy_records_to_table(
                    "member", records=rows, columns=["email"]
                )
        else:
            sql = "INSERT INTO member (email) VALUES ($1)"
            await pool.executemany(sql, rows)
        seconds += perf_counter() - start
        assert await pool.execute(DELETE) == f"DELETE {ROWS}"
    return seconds


DELETE = "DELETE FROM member WHERE email LIKE 'new-%'"
AT_ONCE = 10 if WHAT == "read-10" else 1


async def as_it_is(connection):
    pass


def sqlalchemy():
    scheme, rest = DATABASE.split("://", 1)
    # A single read needs no transaction.
    options = {} if WHAT == "insert" else {"isolation_level": "AUTOCOMMIT"}
    if scheme == "sqlite":
        return create_async_engine(f"sqlite+aiosqlite://{rest}", **options)
    return create_async_engine(
        f"postgresql+asyncpg://{rest}", pool_size=10, **options
    )


async def work(count):
    if WAY in ("orm", "core"):
        database = sqlalchemy()
        close = database.dispose
        read = {"orm": read_by_sessions, "core": read_by_core}[WAY]
        write = insert_by_core
    elif DATABASE.startswith("sqlite"):
        database = await aiosqlite.connect(DATABASE.removeprefix("sqlite://"))
        close = database.close
        read, write = read_by_aiosqlite, insert_by_aiosqlite
    else:
        # The reset of a connection that returns to the pool is one more trip.
        reset = {"reset": as_it_is} if WAY == "no_reset" else {}
        database = await asyncpg.create_pool(
            DATABASE, min_size=AT_ONCE, **reset
        )
        close = database.close
        read, write = read_by_asyncpg, insert_by_asyncpg
    try:
        if WHAT == "insert":
            await write(database, 1)  # to open the connection
            return await write(database, max(1, count // ROWS))
        await read(database, 20)  # to open the connections
        seconds, found = await read(database, count)
        expected = sorted(emails(count))
        assert sorted(member.email for member in found) == expected
        return seconds
    finally:
        await close()


measure(work, {"insert": 10 * ROWS, "read": 3_000, "read-10": 6_000}[WHAT])
