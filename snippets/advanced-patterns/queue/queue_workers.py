# ANCHOR: queue
import asyncio


# ANCHOR: sold_out
class SoldOut(Exception):
    pass
# ANCHOR_END: sold_out


# ANCHOR: prepare
async def prepare(table):
    await asyncio.sleep(0.001)
    if table % 10 == 0:
        raise SoldOut
# ANCHOR_END: prepare


# ANCHOR: cook
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
# ANCHOR_END: cook


async def main():
    served, returned = [], []
    # ANCHOR: open
    hatch = asyncio.Queue(maxsize=8)
    async with asyncio.TaskGroup() as kitchen:
        cooks = [
            kitchen.create_task(cook(hatch, served, returned))
            for _ in range(3)
        ]
    # ANCHOR_END: open
        # ANCHOR: close
        for table in range(1, 101):
            await hatch.put(table)  # waits while eight are in the hatch
        await hatch.join()
        for idle in cooks:
            idle.cancel()
        # ANCHOR_END: close
    # ANCHOR: each_once
    tables = served + [table for table, _ in returned]
    assert sorted(tables) == list(range(1, 101))
    # ANCHOR_END: each_once
# ANCHOR_END: queue


asyncio.run(main())
