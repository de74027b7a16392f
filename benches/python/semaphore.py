import asyncio
from time import perf_counter

from measure import WAY, measure


class Mast:
    def __init__(self):
        self.calls = self.peak = self.served = 0

    async def read(self):
        self.calls += 1
        self.peak = max(self.peak, self.calls)
        await asyncio.sleep(0)
        self.calls -= 1
        self.served += 1


async def all_tasks_at_once(mast, count):
    permits = asyncio.Semaphore(100)

    async def one():
        async with permits:
            await mast.read()

    await asyncio.gather(*(one() for _ in range(count)))


async def a_hundred_workers(mast, count):
    left = iter(range(count))

    async def worker():
        for _ in left:
            await mast.read()

    await asyncio.gather(*(worker() for _ in range(100)))


async def permit_before_task(mast, count):
    permits = asyncio.Semaphore(100)

    async def one():
        try:
            await mast.read()
        finally:
            permits.release()

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            await permits.acquire()
            group.create_task(one())


async def work(count):
    way = {
        "tasks": all_tasks_at_once,
        "permits": permit_before_task,
        "workers": a_hundred_workers,
    }[WAY]
    mast = Mast()
    start = perf_counter()
    await way(mast, count)
    seconds = perf_counter() - start
    assert (mast.served, mast.peak) == (count, 100)
    return seconds


measure(work, 100_000)
