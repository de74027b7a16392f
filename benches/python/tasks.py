import asyncio
from time import perf_counter

from measure import measure


async def step(n):
    return n + 1


async def work(count):
    start = perf_counter()
    steps = await asyncio.gather(*(step(n) for n in range(count)))
    seconds = perf_counter() - start
    assert sum(steps) == count * (count + 1) // 2
    return seconds


measure(work, 200_000)
