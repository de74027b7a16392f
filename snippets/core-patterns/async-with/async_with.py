import asyncio
import tempfile
from contextlib import asynccontextmanager

import aiosqlite


# ANCHOR: till
@asynccontextmanager
async def open_till(shop):
    # ANCHOR: connect
    async with aiosqlite.connect(shop) as db:
    # ANCHOR_END: connect
        try:
            # ANCHOR: open
            await db.execute("UPDATE till SET open = TRUE")
            await db.commit()
            # ANCHOR_END: open
            # ANCHOR: yield
            yield db
            # ANCHOR_END: yield
        # ANCHOR: guard
        finally:
            await db.execute("UPDATE till SET open = FALSE")
            await db.commit()
        # ANCHOR_END: guard


# ANCHOR: sell
async def sell(shop):
    async with open_till(shop) as db:
        assert await is_open(db)
    async with aiosqlite.connect(shop) as db:
        assert not await is_open(db)
# ANCHOR_END: sell


# ANCHOR: is_open
async def is_open(db):
    async with db.execute("SELECT open FROM till") as rows:
        return bool((await rows.fetchone())[0])
# ANCHOR_END: is_open
# ANCHOR_END: till


class Declined(Exception):
    pass


async def main():
    with tempfile.NamedTemporaryFile() as file:
        async with aiosqlite.connect(file.name) as owner:
            await owner.execute("CREATE TABLE till AS SELECT FALSE AS open")
            await sell(file.name)
            await one_cancel(file.name, owner)
            await two_cancels(file.name, owner)
            await two_errors(file.name)


async def serve(shop, inside):
    async with open_till(shop):
        inside.set()
        await asyncio.Event().wait()


# ANCHOR: defects
async def one_cancel(shop, owner):
    inside = asyncio.Event()
    cashier = asyncio.create_task(serve(shop, inside))
    await inside.wait()
    cashier.cancel()
    await asyncio.wait([cashier])
    assert not await is_open(owner)


async def two_cancels(shop, owner):
    inside = asyncio.Event()
    cashier = asyncio.create_task(serve(shop, inside))
    await inside.wait()
    cashier.cancel()  # the shift is over
    await asyncio.sleep(0)  # `finally` begins
    cashier.cancel()  # the shop shuts down
    await asyncio.wait([cashier])
    assert await is_open(owner)  # for ever


async def two_errors(shop):
    try:
        async with open_till(shop) as db:
            await db.execute("DROP TABLE till")
            raise Declined
    except Exception as error:
        assert isinstance(error, aiosqlite.OperationalError)
        assert isinstance(error.__context__, Declined)
# ANCHOR_END: defects


asyncio.run(main())
