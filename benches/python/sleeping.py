import asyncio
import os
from time import perf_counter

from measure import ARGUMENT, SHARE, beyond, peak, run, tell


async def work(count):
    asleep = 0

    async def one():
        nonlocal asleep
        asleep += 1
        await asyncio.sleep(3600)

    start = perf_counter()
    tasks = [asyncio.create_task(one()) for _ in range(count)]
    while asleep < count:
        await asyncio.sleep(0)
    seconds = perf_counter() - start
    assert not any(task.done() for task in tasks)
    return seconds


async def main(count):
    before = peak()
    seconds = await work(count)
    tell(seconds, count, beyond(before))
    os._exit(0)  # the tasks sleep for an hour


run(main(int(ARGUMENT) // SHARE))
