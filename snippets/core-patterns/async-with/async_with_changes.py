import asyncio
from contextlib import asynccontextmanager


# ANCHOR: changes
@asynccontextmanager
async def connection(conn):
    try:
        yield conn
    finally:
        await conn.close()


async def a_second_cancel_cuts_it_short(conn):
    async def track():
        async with connection(conn):
            await asyncio.Event().wait()

    task = asyncio.create_task(track())
    await asyncio.sleep(0)
    task.cancel()  # the client has left
    await asyncio.sleep(0)  # `close` has begun
    task.cancel()  # the service shuts down
    await asyncio.wait([task])
    assert conn.steps == ["close begins"]


async def an_error_of_close_replaces_that_of_the_body(conn):
    conn.fails = True
    try:
        async with connection(conn):
            raise LookupError("parcel 13 is unknown")
    except OSError as error:  # `except LookupError` misses it
        assert isinstance(error.__context__, LookupError)
# ANCHOR_END: changes


class Conn:
    fails = False

    def __init__(self):
        self.steps = []

    async def close(self):
        self.steps.append("close begins")
        await asyncio.sleep(0.001)
        if self.fails:
            raise OSError("close fails")
        self.steps.append("closed")


async def one_cancel_lets_it_end(conn):
    async def track():
        async with connection(conn):
            await asyncio.Event().wait()

    task = asyncio.create_task(track())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert conn.steps == ["close begins", "closed"]


async def main():
    await one_cancel_lets_it_end(Conn())
    await a_second_cancel_cuts_it_short(Conn())
    await an_error_of_close_replaces_that_of_the_body(Conn())


asyncio.run(main())
