# ANCHOR: keep
import asyncio
from itertools import islice


async def as_completed(items, limit, deadline, work):
    """Runs `work` for each item in a task, at most `limit` at the same time.

    Yields each item with its task, when the task has ended. `deadline` is a
    time of the loop.
    """
    items, running = iter(items), {}
    now = asyncio.get_running_loop().time

    # ANCHOR: spawn
    async def limited(item):
        if now() >= deadline:
            raise TimeoutError("the deadline has passed")
        task = asyncio.create_task(work(item))
        try:
            await asyncio.wait({task}, timeout=deadline - now())
            if task.done():
                return task.result()
            raise TimeoutError("the deadline has passed")
        finally:
            task.cancel()  # nothing, if it has ended
            await asyncio.wait({task})
    # ANCHOR_END: spawn

    try:
        while True:
            for item in islice(items, max(1, limit) - len(running)):
                running[asyncio.create_task(limited(item))] = item
            if not running:
                return
            # ANCHOR: next
            ended, _ = await asyncio.wait(
                running, return_when=asyncio.FIRST_COMPLETED
            )
            task = ended.pop()
            yield running.pop(task), task
            # ANCHOR_END: next
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
# ANCHOR_END: keep


# Carriers that are asked for parcels, and what must come of it.
import selectors
from contextlib import aclosing


class Clock(selectors.DefaultSelector):
    """Jumps to the next timer, as tokio's paused clock does."""

    now = 0

    def select(self, timeout=None):
        self.now += timeout or 0
        return super().select(0)


class Carrier:
    def __init__(self):
        self.running = self.most = self.all = 0

    async def track(self, parcel):
        self.running += 1
        self.all += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(parcel % 10)
            if parcel == 13:
                raise LookupError("404 Not Found")
            if parcel == 88:
                clock.now += 3  # the loop is blocked
            if parcel == 99:
                await asyncio.sleep(60)
            return "in transit"
        except asyncio.CancelledError:
            await asyncio.sleep(1)  # it cleans up
            raise
        finally:
            self.running -= 1


async def case(parcels, limit, pause, expected):
    now = asyncio.get_running_loop().time
    start, carrier, got = now(), Carrier(), []
    async for parcel, task in as_completed(
        parcels, limit, start + 10, carrier.track
    ):
        error = task.exception()
        result = type(error) if error else task.result()
        got.append((now() - start, parcel, result))
        await asyncio.sleep(pause)
    got.sort(key=lambda end: end[:2])
    assert got == expected, got
    assert carrier.most <= max(1, limit) and carrier.running == 0
    return carrier.all


async def main():
    carrier, printed = Carrier(), []
    # ANCHOR: call
    deadline = asyncio.get_running_loop().time() + 10
    async with aclosing(
        as_completed([5, 1, 13], 100, deadline, carrier.track)
    ) as results:
        async for parcel, task in results:
            try:
                printed.append(f"parcel {parcel}: {task.result()}")
            except LookupError as error:
                printed.append(f"parcel {parcel}: {error}")
    # ANCHOR_END: call
    assert printed == [
        "parcel 1: in transit",
        "parcel 13: 404 Not Found",
        "parcel 5: in transit",
    ]
    assert carrier.most == 3

    ok, late = "in transit", TimeoutError
    await case([5, 1, 13], 9, 0, [(1, 1, ok), (3, 13, LookupError), (5, 5, ok)])
    await case([5, 1, 3], 2, 0, [(1, 1, ok), (4, 3, ok), (5, 5, ok)])
    await case([2, 1], 0, 0, [(2, 2, ok), (3, 1, ok)])
    await case([], 9, 0, [])
    await case([99, 1], 9, 0, [(1, 1, ok), (11, 99, late)])
    begun = await case(
        [6, 7, 8], 1, 0, [(6, 6, ok), (11, 7, late), (11, 8, late)]
    )
    assert begun == 2, "after the deadline no request begins"
    begun = await case(
        [1, 2, 3], 1, 5, [(1, 1, ok), (8, 2, ok), (13, 3, late)]
    )
    assert begun == 2
    await case([1], 9, 0, [(1, 1, ok)])
    # The loop is blocked from 8 s to 11 s. The result was there after 9 s.
    await case([88, 9], 9, 0, [(11, 9, ok), (11, 88, ok)])

    # The caller leaves the loop: the others are cancelled, or do not begin.
    carrier = Carrier()
    now = asyncio.get_running_loop().time
    start = now()
    deadline = start + 10
    async with aclosing(
        as_completed([3, 1, 2], 2, deadline, carrier.track)
    ) as results:
        async for parcel, task in results:
            assert parcel == 1
            break
    assert now() - start == 2, "it waits for the end of the work only"
    assert carrier.running == 0 and carrier.all == 2
    assert len(asyncio.all_tasks()) == 1


clock = Clock()
loop = asyncio.SelectorEventLoop(clock)
loop.time = lambda: clock.now
with asyncio.Runner(loop_factory=lambda: loop) as runner:
    runner.run(main())
