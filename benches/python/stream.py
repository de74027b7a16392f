import asyncio
from time import perf_counter

from measure import WAY, measure


async def generator(count):
    for number in range(count):
        yield number


async def by_queue(count):
    queue = asyncio.Queue(100)

    async def produce():
        for number in range(count):
            await queue.put(number)
        await queue.put(None)

    producer = asyncio.create_task(produce())
    while (number := await queue.get()) is not None:
        yield number
    await producer


async def work(count):
    numbers = {"generator": generator, "queue": by_queue}[WAY]
    start = perf_counter()
    total = 0
    async for number in numbers(count):
        total += number
    seconds = perf_counter() - start
    assert total == count * (count - 1) // 2
    return seconds


measure(work, {"generator": 5_000_000, "queue": 500_000}[WAY])
