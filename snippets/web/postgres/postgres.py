# ANCHOR: keep
import asyncio
import itertools
import random
import ssl

import asyncpg

WAIT = 3  # seconds, for a connection
# The server keeps these limits, for each connection.
LIMITS = {
    "statement_timeout": "10s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "15s",
}


# ANCHOR: connect
async def connect(url, max_connections):
    """A pool, if the server can be reached. TCP requires TLS."""
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=max_connections,
        timeout=WAIT,
        ssl=ssl.create_default_context(),  # not used on a Unix socket
        server_settings=LIMITS,
    )
# ANCHOR_END: connect


# ANCHOR: retry
async def retry(transaction):
    """Runs a transaction, and again after a conflict: six attempts at most."""
    for retries in itertools.count():
        try:
            return await transaction()
        except (
            asyncpg.SerializationError,
            asyncpg.DeadlockDetectedError,
        ):
            if retries == 5:
                raise
        wait = 0.02 * 2**retries
        await asyncio.sleep(random.uniform(wait, 2 * wait))
# ANCHOR_END: retry


# ANCHOR: transfer
async def transfer(pool, ids, cents):
    """Moves credit from one carrier to another. False if too little."""
    lock = "SELECT FROM carriers WHERE id = ANY($1) ORDER BY id FOR UPDATE"
    update = """UPDATE carriers SET credit = credit + $2
        WHERE id = $1 AND credit + $2 >= 0"""
    try:
        async with pool.acquire(timeout=WAIT) as conn, conn.transaction():
            # In the order of the ids, like every transaction.
            await conn.execute(lock, ids)
            for id, change in [(ids[0], -cents), (ids[1], cents)]:
                if await conn.execute(update, id, change) == "UPDATE 0":
                    raise LookupError(id)  # a rollback
    except LookupError:
        return False
    return True
# ANCHOR_END: transfer
# ANCHOR_END: keep


# A temporary server, and what must happen.
import subprocess
import sys
import time
from pathlib import Path


class Attempts:
    """Counts the attempts of `retry`."""

    def __init__(self):
        self.count = 0

    def of(self, transaction, *arguments):
        def attempt():
            self.count += 1
            return transaction(*arguments)

        return attempt

    def take(self):
        count, self.count = self.count, 0
        return count


attempts = Attempts()


async def called(url):
    """As a reader would call it."""
    # ANCHOR: call
    pool = await connect(url, 20)
    moved = await retry(lambda: transfer(pool, [1, 2], 500))
    # ANCHOR_END: call
    assert not moved  # there are no carriers yet
    await pool.close()


async def carriers(pool):
    sql = """INSERT INTO carriers (credit) VALUES (1000), (1000)
        RETURNING id"""
    return [row["id"] for row in await pool.fetch(sql)]


async def credits(pool, ids):
    sql = "SELECT credit FROM carriers WHERE id = ANY($1) ORDER BY id"
    return [row["credit"] for row in await pool.fetch(sql, ids)]


async def waiting(pool, sessions):
    """Returns when so many sessions wait for a lock."""
    sql = """SELECT count(*) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock'"""
    while await pool.fetchval(sql) != sessions:
        await asyncio.sleep(0.001)


async def hold(pool, ids):
    """A transaction that has locked carriers, and its connection."""
    conn = await pool.acquire()
    transaction = conn.transaction()
    await transaction.start()
    lock = "SELECT FROM carriers WHERE id = ANY($1) FOR UPDATE"
    await conn.execute(lock, ids)
    return conn, transaction


async def release(pool, held):
    conn, transaction = held
    await transaction.rollback()
    await pool.release(conn)


async def fails(awaitable, error):
    try:
        await awaitable
    except error:
        return
    raise AssertionError(f"no {error}")


async def hot_rows(pool):
    ids = await carriers(pool)
    async with asyncio.TaskGroup() as group:
        for number in range(100):
            pair = ids if number % 2 == 0 else ids[::-1]
            one = attempts.of(transfer, pool, pair, 1 + number % 2)
            group.create_task(retry(one))
    assert await credits(pool, ids) == [1050, 950]
    assert attempts.take() == 100


async def unordered(pool, ids, cents):
    async with pool.acquire() as conn, conn.transaction():
        for id, change in [(ids[0], -cents), (ids[1], cents)]:
            sql = "UPDATE carriers SET credit = credit + $2 WHERE id = $1"
            await conn.execute(sql, id, change)


async def deadlock(pool):
    ids = await carriers(pool)
    held = await hold(pool, ids[1:])
    async with asyncio.TaskGroup() as group:
        for number, pair in [(1, ids[::-1]), (2, ids)]:
            one = attempts.of(unordered, pool, pair, 5)
            group.create_task(retry(one))
            await waiting(pool, number)
        await release(pool, held)
    assert attempts.take() == 3
    assert await credits(pool, ids) == [1000, 1000]


async def conflict(pool):
    await pool.execute(
        "DO $$ BEGIN RAISE 'a conflict' USING ERRCODE = '40001'; END $$"
    )


async def conflicts(pool):
    async def one():
        start = time.monotonic()
        again = retry(attempts.of(conflict, pool))
        await fails(again, asyncpg.SerializationError)
        return time.monotonic() - start

    waits = sorted(await asyncio.gather(*(one() for _ in range(20))))
    assert 0.62 <= waits[0] and waits[-1] < 5, waits
    assert waits[-1] - waits[0] > 0.05, waits
    assert attempts.take() == 120


async def skew(pool, isolation):
    """Two that each stop a carrier, unless it is the last one."""
    ids = await carriers(pool)
    sql = "UPDATE carriers SET is_used = id = ANY($1)"
    await pool.execute(sql, ids)
    used = "SELECT count(*) FROM carriers WHERE is_used"

    async def stop(id):
        async with pool.acquire() as conn:
            async with conn.transaction(isolation=isolation):
                if await conn.fetchval(used) > 1:
                    sql = "UPDATE carriers SET is_used = FALSE WHERE id = $1"
                    await conn.execute(sql, id)

    held = await hold(pool, ids)
    async with asyncio.TaskGroup() as group:
        for id in ids:
            group.create_task(retry(lambda id=id: stop(id)))
        await waiting(pool, 2)
        await release(pool, held)
    return await pool.fetchval(used)


async def failures(pool):
    ids = await carriers(pool)
    assert not await retry(attempts.of(transfer, pool, ids, 1001))
    assert not await retry(attempts.of(transfer, pool, [ids[0], -1], 5))
    too_much = attempts.of(transfer, pool, ids, 1 - 2**63)
    await fails(retry(too_much), asyncpg.NumericValueOutOfRangeError)
    assert attempts.take() == 3

    # Cancelled while it waits for a lock.
    held = await hold(pool, ids[1:])
    cancelled = retry(lambda: transfer(pool, ids, 5))
    await fails(asyncio.wait_for(cancelled, 0.05), TimeoutError)
    await release(pool, held)
    assert await credits(pool, ids) == [1000, 1000]
    assert await retry(lambda: transfer(pool, ids, 5))


# ANCHOR: changes
async def changes(pool):
    # The pool ends the transaction of a connection that it gets back.
    ids = await carriers(pool)
    async with pool.acquire() as conn:
        await conn.execute("BEGIN; UPDATE carriers SET credit = 0")
    assert await credits(pool, ids) == [1000, 1000]

    # A cancelled query is cancelled on the server.
    sleep = pool.execute("SELECT pg_sleep(60)")
    await fails(asyncio.wait_for(sleep, 0.05), TimeoutError)
    sql = """SELECT count(*) FROM pg_stat_activity
        WHERE query ~ $1 AND state = 'active'"""
    assert await pool.fetchval(sql, "pg_sleep.60") == 0
# ANCHOR_END: changes


async def refused():
    """A server that has no TLS, and one that is silent."""
    async def answer_no(reader, writer):
        await reader.readexactly(8)  # the client asks for TLS
        writer.write(b"N")
        await reader.read()
        writer.close()

    async def answer_nothing(reader, writer):
        await reader.read()
        writer.close()

    for answer, error in [
        (answer_no, ConnectionError),
        (answer_nothing, TimeoutError),
    ]:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            start = time.monotonic()
            other = f"postgres://cookbook@127.0.0.1:{port}/postgres"
            await fails(connect(other, 1), error)
            took = time.monotonic() - start
            assert (took >= WAIT) == (error is TimeoutError), took
            assert took < 3 * WAIT


async def in_use(url):
    async with await connect(url, 1) as pool, pool.acquire():
        start = time.monotonic()
        await fails(transfer(pool, [1, 2], 5), TimeoutError)
        assert WAIT <= time.monotonic() - start < 3 * WAIT


async def main(url):
    first = await asyncpg.connect(url)
    await first.execute("ALTER ROLE cookbook SET deadlock_timeout = '100ms'")
    await first.execute("""CREATE TABLE carriers (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        credit BIGINT NOT NULL,
        is_used BOOLEAN NOT NULL DEFAULT FALSE
    )""")
    await first.close()
    await called(url)
    async with await connect(url, 20) as pool:
        for name, limit in LIMITS.items():
            assert await pool.fetchval(f"SHOW {name}") == limit
        sessions = [await pool.acquire() for _ in range(20)]
        await fails(pool.acquire(timeout=0.05), TimeoutError)
        for conn in sessions:
            await pool.release(conn)
        await hot_rows(pool)
        await deadlock(pool)
        await conflicts(pool)
        assert await skew(pool, "read_committed") == 0
        assert await skew(pool, "serializable") == 1
        await failures(pool)
        await changes(pool)
    await asyncio.gather(refused(), in_use(url))


# The book's own script, beside its `.venv`.
script = Path(sys.prefix).parent / "tests/throwaway-postgres"
pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
with subprocess.Popen([script], **pipes, text=True) as server:
    url = server.stdout.readline().strip()
    if url:  # else PostgreSQL is not installed
        # asyncpg would prefer this host to the socket that the URL names.
        asyncio.run(main(url.replace("@localhost", "@")))
