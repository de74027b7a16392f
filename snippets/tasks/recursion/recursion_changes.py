import asyncio
import sys


# ANCHOR: changes
async def climb(steps):
    return 0 if steps == 0 else 1 + await climb(steps - 1)


async def in_tasks(steps):
    if steps == 0:
        return 0
    return 1 + await asyncio.create_task(in_tasks(steps - 1))


async def main():
    # It needs no box, and too deep is an exception.
    limit = sys.getrecursionlimit()
    assert limit == 1_000
    try:
        await climb(limit)
        raise AssertionError("deeper than the limit")
    except RecursionError:
        pass

    # The limit is a number that you can change.
    sys.setrecursionlimit(2 * limit)
    assert await climb(limit) == limit
    sys.setrecursionlimit(limit)

    # A task for each has a stack of its own.
    assert await in_tasks(10 * limit) == 10 * limit

    # One fails, and the other one is still at work.
    async def fail():
        raise LookupError("no such chamber")

    failing = asyncio.create_task(fail())
    other = asyncio.create_task(asyncio.sleep(0.01, "seen"))
    done, _ = await asyncio.wait(
        {failing, other}, return_when=asyncio.FIRST_COMPLETED
    )
    assert done == {failing} and failing.exception() is not None
    assert not other.done()
    assert await other == "seen"
# ANCHOR_END: changes


asyncio.run(main())
