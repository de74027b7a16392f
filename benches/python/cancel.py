import asyncio
from time import perf_counter

from measure import WAY, measure


async def work(count):
    asleep = cleaned = 0

    async def one():
        nonlocal asleep, cleaned
        asleep += 1
        try:
            await asyncio.sleep(3600)
        finally:
            cleaned += 1

    tasks = [asyncio.create_task(one()) for _ in range(count)]
    while asleep < count:
        await asyncio.sleep(0)
    start = perf_counter()
    for task in tasks:
        task.cancel()
    if WAY == "wait":
        await asyncio.wait(tasks)
    else:
        for task in tasks:
            try:
                await task
            except asyncio.CancelledError:
                pass
    seconds = perf_counter() - start
    assert cleaned == count and all(task.cancelled() for task in tasks)
    return seconds


measure(work, 100_000)
