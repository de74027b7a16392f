# ANCHOR: queue
import asyncio


class SoldOut(Exception):
    pass


async def prepare(table):
    await asyncio.sleep(0.001)
    if table % 10 == 0:
        raise SoldOut


async def cook(hatch, served, returned):
    while True:
        table = await hatch.get()
        try:
            await prepare(table)
            served.append(table)
        except SoldOut as error:
            returned.append((table, error))
        finally:
            hatch.task_done()


async def main():
    served, returned = [], []
    hatch = asyncio.Queue(maxsize=8)
    async with asyncio.TaskGroup() as kitchen:
        cooks = [
            kitchen.create_task(cook(hatch, served, returned))
            for _ in range(3)
        ]
        for table in range(1, 101):
            await hatch.put(table)  # waits while eight are in the hatch
        await hatch.join()
        for idle in cooks:
            idle.cancel()
    tables = served + [table for table, _ in returned]
    assert sorted(tables) == list(range(1, 101))


# ANCHOR_END: queue
asyncio.run(main())
