import asyncio
import functools


# ANCHOR: changes
@functools.cache
async def sign_in():
    return "session"


async def main():
    assert await sign_in() == "session"
    try:
        await sign_in()
        raise AssertionError("awaited twice")
    except RuntimeError as error:
        assert str(error) == "cannot reuse already awaited coroutine"
# ANCHOR_END: changes


# ANCHOR: lock
lock = asyncio.Lock()


async def two_callers():
    async def caller():
        async with lock:
            await asyncio.sleep(0)

    await asyncio.gather(caller(), caller())
# ANCHOR_END: lock


async def without_a_lock():
    session, attempts = None, 0

    async def get():
        nonlocal session, attempts
        if session is None:
            attempts += 1
            await asyncio.sleep(0)
            session = "session"

    await asyncio.gather(get(), get())
    assert attempts == 2


asyncio.run(main())
asyncio.run(without_a_lock())
asyncio.run(two_callers())
try:
    asyncio.run(two_callers())
    raise AssertionError("this is another loop")
except RuntimeError as error:
    assert "is bound to a different event loop" in str(error)
