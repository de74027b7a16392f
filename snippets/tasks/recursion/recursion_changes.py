import asyncio
import sys


# ANCHOR: changes
async def open_box(steps):
    return 0 if steps == 0 else 1 + await open_box(steps - 1)


async def in_tasks(steps):
    if steps == 0:
        return 0
    return 1 + await asyncio.create_task(in_tasks(steps - 1))


async def main():
    # It needs no box, and too deep is an exception.
    limit = sys.getrecursionlimit()
    assert limit == 1_000
    try:
        await open_box(limit)
        raise AssertionError("deeper than the limit")
    except RecursionError:
        pass

    # The limit is a number that you can change.
    sys.setrecursionlimit(2 * limit)
    assert await open_box(limit) == limit
    sys.setrecursionlimit(limit)

    # A task for each has a stack of its own.
    assert await in_tasks(10 * limit) == 10 * limit

    # One fails, and the other one is still at work.
    async def fail():
        raise LookupError("no such item")

    failing = asyncio.create_task(fail())
    other = asyncio.create_task(asyncio.sleep(0.01, "listed"))
    done, _ = await asyncio.wait(
        {failing, other}, return_when=asyncio.FIRST_COMPLETED
    )
    assert done == {failing} and failing.exception() is not None
    assert not other.done()
    assert await other == "listed"
# ANCHOR_END: changes


asyncio.run(main())
