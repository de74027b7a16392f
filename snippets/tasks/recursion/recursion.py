# ANCHOR: keep
import asyncio
from collections import deque


# ANCHOR: walk
async def walk(item, depth, seen, list_item):
    """Visits what is below an item by recursion, one after the other."""
    if item in seen:
        return  # it was visited before: a cycle, or a second way
    seen.add(item)
    if not depth:
        raise ValueError(f"item {item} is too deep")
    for child in await list_item(item):
        await walk(child, depth - 1, seen, list_item)
# ANCHOR_END: walk


# ANCHOR: crawl
async def crawl(item, limit, most, list_item):
    """Visits the same items from a worklist, up to `limit` at a time."""
    if limit < 1:
        raise ValueError("a limit of 0 never ends")
    seen, waiting, running = {item}, deque([item]), set()
    try:
        while waiting or running:
            while waiting and len(running) < limit:
                request = list_item(waiting.popleft())
                running.add(asyncio.create_task(request))
            ended, running = await asyncio.wait(
                running, return_when=asyncio.FIRST_COMPLETED
            )
            for task in ended:
                for child in await task:
                    if child not in seen:
                        seen.add(child)
                        waiting.append(child)
            if len(seen) > most:
                raise ValueError(f"more than {most} items")
        return seen
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
# ANCHOR_END: crawl
# ANCHOR_END: keep


# A shipment has boxes, and a box has boxes or parcels. A carrier's API lists
# what is in one.
SHIPMENT = [[1, 2, 3], [4], [4, 5], [6], [], [7], [3], []]


class Carrier:
    def __init__(self):
        self.running = self.peak = self.requests = 0

    async def list_item(self, item):
        self.requests += 1
        self.running += 1
        self.peak = max(self.peak, self.running)
        try:
            await asyncio.sleep(0.001 * (item % 100 + 1))
            if item == 102:
                raise OSError("item 102: 503")
            if item == 104:
                await asyncio.sleep(3600)
            if item == 200:
                return [104, 102]
            return [item + 1] if item >= 1000 else SHIPMENT[item]
        finally:
            self.running -= 1


async def fails(crawling):
    try:
        await crawling
    except (OSError, ValueError) as error:
        return str(error)
    raise AssertionError("an error")


async def main():
    carrier = Carrier()
    list_item = carrier.list_item
    # ANCHOR: call
    items = set()
    await walk(0, 50, items, list_item)
    assert items == await crawl(0, 3, 10_000, list_item)
    # ANCHOR_END: call
    assert items == set(range(8))
    assert (carrier.requests, carrier.peak) == (16, 3)

    deep = "item 1005 is too deep"
    assert await fails(walk(1000, 5, set(), list_item)) == deep
    deep = "more than 10 items"
    assert await fails(crawl(1000, 3, 10, list_item)) == deep
    carrier.peak = 0
    assert len(await crawl(0, 1, 8, list_item)) == 8
    assert carrier.peak == 1
    assert await fails(crawl(0, 1, 7, list_item)) == "more than 7 items"
    assert await fails(crawl(0, 0, 7, list_item)) == "a limit of 0 never ends"

    # One branch fails, and another one is silent.
    assert await fails(crawl(200, 3, 100, list_item)) == "item 102: 503"
    assert carrier.running == 0
    try:
        async with asyncio.timeout(0.05):
            await crawl(104, 3, 100, list_item)
    except TimeoutError:
        assert carrier.running == 0
    else:
        raise AssertionError("it is silent")


asyncio.run(main())
