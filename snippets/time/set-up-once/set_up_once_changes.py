import asyncio
import functools


# ANCHOR: changes
@functools.cache
async def cached():
    return "hot"


async def keeps_the_coroutine():
    assert await cached() == "hot"
    try:
        await cached()
        raise AssertionError("awaited twice")
    except RuntimeError as error:
        assert str(error) == "cannot reuse already awaited coroutine"


@functools.cache
def heating():
    return asyncio.create_task(asyncio.sleep(0.01, "hot"))


async def keeps_the_task():
    leaves = asyncio.create_task(asyncio.wait_for(asyncio.shield(heating()), 0))
    stays = asyncio.create_task(asyncio.wait_for(asyncio.shield(heating()), 1))
    assert await stays == "hot"
    assert isinstance(leaves.exception(), TimeoutError)


async def without_a_lock():
    stove, fires = None, 0

    async def enter():
        nonlocal stove, fires
        if stove is None:
            fires += 1
            await asyncio.sleep(0)
            stove = "hot"

    await asyncio.gather(enter(), enter())
    assert fires == 2


# A lock belongs to the first loop in which somebody has to wait for it.
lock = asyncio.Lock()


async def two_guests():
    async def enter():
        async with lock:
            await asyncio.sleep(0)

    await asyncio.gather(enter(), enter())


asyncio.run(keeps_the_coroutine())
asyncio.run(keeps_the_task())
asyncio.run(without_a_lock())
asyncio.run(two_guests())
try:
    asyncio.run(two_guests())
    raise AssertionError("this is another loop")
except RuntimeError as error:
    assert "is bound to a different event loop" in str(error)
# ANCHOR_END: changes
