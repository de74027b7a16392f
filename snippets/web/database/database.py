# ANCHOR: keep
from sqlalchemy import ForeignKey, event
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


# ANCHOR: parcel
class Parcel(Base):
    __tablename__ = "parcel"
    id: Mapped[int] = mapped_column(primary_key=True)
    city: Mapped[str]
    status: Mapped[str]
# ANCHOR_END: parcel


class Event(Base):
    __tablename__ = "event"
    scan: Mapped[str] = mapped_column(primary_key=True)
    parcel: Mapped[int] = mapped_column(ForeignKey(Parcel.id))
    status: Mapped[str]


def connect(path, timeouts, size, begin, *pragmas):
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path}",
        connect_args={"timeout": timeouts[1]},
        pool_timeout=timeouts[0], pool_size=size, max_overflow=0,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(conn, _record):
        for pragma in pragmas:
            conn.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(conn):
        conn.exec_driver_sql(begin)

    return async_sessionmaker(engine)


# ANCHOR: open
async def open_db(path, acquire_timeout, busy_timeout):
    """A pool of readers, and one writer, in which the tables exist."""
    timeouts = acquire_timeout, busy_timeout
    pragmas = "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"
    writer = connect(path, timeouts, 1, "BEGIN IMMEDIATE", *pragmas)
    async with writer.begin() as session:
        conn = await session.connection()
        await conn.run_sync(Base.metadata.create_all)
    readers = connect(path, timeouts, 4, "BEGIN", "query_only = ON")
    return readers, writer
# ANCHOR_END: open


# ANCHOR: find
async def find(session, id):
    return await session.get(Parcel, id)
# ANCHOR_END: find


# ANCHOR: record
async def record(writer, scan, id, status):
    """Stores the parcel's new status and the event: both, or neither."""
    async with writer.begin() as session:
        parcel = await find(session, id)
        if parcel is None:
            return None
        before, parcel.status = parcel.status, status
        session.add(Event(scan=scan, parcel=id, status=status))
    return before
# ANCHOR_END: record
# ANCHOR_END: keep


# What goes wrong on purpose, and what must come of it.
import asyncio
import sqlite3
import tempfile
import time
from pathlib import Path

from pytest import raises
from sqlalchemy import exc, func, select, text


async def stored(readers):
    async with readers() as session:
        parcel = await find(session, 7)
        events = await session.scalar(select(func.count(Event.scan)))
        return parcel.status, events


async def slow(writer, work):
    async with writer.begin() as session:
        await session.execute(text("UPDATE parcel SET status = 'lost'"))
        await work


async def fails():
    raise ValueError("no scanner")


async def main(path):
    # ANCHOR: call
    readers, writer = await open_db(path, 1, 0.5)
    async with writer.begin() as session:
        session.add(Parcel(id=7, city="Bergen", status="accepted"))
    before = await record(writer, "scan-1", 7, "in transit")
    async with readers() as session:
        parcel = await find(session, 7)
    # ANCHOR_END: call
    assert (before, parcel.city) == ("accepted", "Bergen")
    assert await stored(readers) == ("in transit", 1)

    # Not found; twice.
    async with readers() as session:
        assert await find(session, 8) is None
    assert await record(writer, "scan-2", 8, "delivered") is None
    with raises(exc.IntegrityError) as failure:
        await record(writer, "scan-1", 7, "delivered")
    name = failure.value.orig.sqlite_errorname
    assert name == "SQLITE_CONSTRAINT_PRIMARYKEY", name
    assert await stored(readers) == ("in transit", 1)

    # An exception and a cancellation; meanwhile the writer is in use.
    with raises(ValueError):
        await slow(writer, fails())
    assert await stored(readers) == ("in transit", 1)
    task = asyncio.create_task(slow(writer, asyncio.Event().wait()))
    await asyncio.sleep(0.1)
    start = time.monotonic()
    with raises(exc.TimeoutError):
        await record(writer, "scan-3", 7, "delivered")
    assert 1 <= time.monotonic() - start < 4
    assert await stored(readers) == ("in transit", 1)
    task.cancel()
    with raises(asyncio.CancelledError):
        await task
    assert await stored(readers) == ("in transit", 1)

    # The second writer waits, and sees what the first has done.
    scans = "scan-4", "scan-5"
    before = await asyncio.gather(*(record(writer, s, 7, s) for s in scans))
    assert "in transit" in before and {*scans} & {*before}

    # A reader sees what was there when it began, and stops no writer.
    async with readers() as session:
        first = (await find(session, 7)).status
        await record(writer, "scan-6", 7, "delivered")
        session.expire_all()
        assert (await find(session, 7)).status == first
    assert await stored(readers) == ("delivered", 4)

    # Another process holds the file's lock.
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    start = time.monotonic()
    with raises(exc.OperationalError, match="database is locked"):
        await record(writer, "scan-7", 7, "lost")
    assert 0.5 <= time.monotonic() - start < 4
    other.execute("ROLLBACK")
    other.close()

    # Five readers; the wrong pool; a foreign key.
    sessions = [readers() for _ in range(4)]
    for session in sessions:
        await find(session, 7)
    with raises(exc.TimeoutError):
        await stored(readers)
    for session in sessions:
        await session.close()
    with raises(exc.OperationalError, match="readonly"):
        await record(readers, "scan-7", 7, "lost")
    with raises(exc.IntegrityError):
        async with writer.begin() as session:
            session.add(Event(scan="scan-7", parcel=8, status="lost"))
    async with writer() as session:
        assert await session.scalar(text("PRAGMA synchronous")) == 2  # FULL

    await readers.kw["bind"].dispose()
    await writer.kw["bind"].dispose()


with tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(Path(folder) / "parcels.db"))
