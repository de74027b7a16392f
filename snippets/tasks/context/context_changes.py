import asyncio
from contextvars import ContextVar

REQUEST_ID = ContextVar("request_id", default=None)


# ANCHOR: inherits
async def inherits():
    async def read():
        return REQUEST_ID.get()

    REQUEST_ID.set("a1")
    task = asyncio.create_task(read())
    REQUEST_ID.set("b2")
    assert await task == "a1"  # the value when the task was made
    assert await asyncio.to_thread(REQUEST_ID.get) == "b2"
    loop = asyncio.get_running_loop()
    assert await loop.run_in_executor(None, REQUEST_ID.get) is None
# ANCHOR_END: inherits


# ANCHOR: sets
async def sets():
    async def sign_in():
        REQUEST_ID.set("c3")

    REQUEST_ID.set("a1")
    await asyncio.create_task(sign_in())
    assert REQUEST_ID.get() == "a1"
    await sign_in()
    assert REQUEST_ID.get() == "c3"
# ANCHOR_END: sets


async def main():
    await asyncio.create_task(inherits())
    await asyncio.create_task(sets())


asyncio.run(main())
