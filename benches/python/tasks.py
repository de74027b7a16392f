import asyncio
import gc
from time import perf_counter

from measure import WAY, measure


async def step(n):
    return n + 1


async def step_that_waits(n):
    await asyncio.sleep(0)
    return n + 1


async def work(count):
    start = perf_counter()
    match WAY:
        case "gather":
            steps = await asyncio.gather(*(step(n) for n in range(count)))
        case "waits":
            steps = await asyncio.gather(
                *(step_that_waits(n) for n in range(count))
            )
        case "list" | "collected_less":
            tasks = [asyncio.create_task(step(n)) for n in range(count)]
            steps = [await task for task in tasks]
    seconds = perf_counter() - start
    assert sum(steps) == count * (count + 1) // 2
    return seconds


if WAY == "collected_less":
    # The cyclic collector traverses all tasks again and again, and finds
    # nothing to free.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
measure(work, 200_000)
