import asyncio
from time import perf_counter

from measure import ARGUMENT, WAY, measure

ENDS = int(ARGUMENT)


async def produce(queue, numbers):
    for number in numbers:
        await queue.put(number)


async def consume(queue):
    total = 0
    while (number := await queue.get()) is not None:
        total += number
    return total


async def produce_without_wait(queue, numbers):
    """Waits only where the queue has no room."""
    for number in numbers:
        try:
            queue.put_nowait(number)
        except asyncio.QueueFull:
            await queue.put(number)


async def consume_without_wait(queue):
    total = 0
    while True:
        try:
            number = queue.get_nowait()
        except asyncio.QueueEmpty:
            number = await queue.get()
        if number is None:
            return total
        total += number


if WAY == "nowait":
    produce, consume = produce_without_wait, consume_without_wait


async def work(count):
    start = perf_counter()
    queue = asyncio.Queue(100)
    async with asyncio.TaskGroup() as group:
        consumers = [group.create_task(consume(queue)) for _ in range(ENDS)]
        async with asyncio.TaskGroup() as producers:
            for n in range(ENDS):
                producers.create_task(produce(queue, range(n, count, ENDS)))
        for _ in consumers:
            await queue.put(None)
    seconds = perf_counter() - start
    total = sum(consumer.result() for consumer in consumers)
    assert total == count * (count - 1) // 2
    return seconds


measure(work, 1_000_000)
