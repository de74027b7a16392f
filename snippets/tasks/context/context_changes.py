import asyncio
from contextvars import ContextVar

# ANCHOR: changes
CASE = ContextVar("case", default=None)


async def opens(case):
    CASE.set(case)


async def main():
    loop = asyncio.get_running_loop()

    # What you await is you: it can change the value behind your back.
    await opens(7)
    assert CASE.get() == 7

    # A task has a copy, made when the task is. Its change is its own,
    await asyncio.create_task(opens(8))
    assert CASE.get() == 7

    # and it does not see yours.
    async def reads():
        return CASE.get()

    reading = asyncio.create_task(reads())
    CASE.set(9)
    assert await reading == 7

    # One of the two ways to a thread takes it along.
    assert await asyncio.to_thread(CASE.get) == 9
    assert await loop.run_in_executor(None, CASE.get) is None

    # The way back is a token.
    token = CASE.set(10)
    CASE.reset(token)
    assert CASE.get() == 9
# ANCHOR_END: changes


asyncio.run(main())
