# ANCHOR: keep
import asyncio


class Tracker:
    """What all tasks share. `ask` sends the request for a parcel."""

    def __init__(self, ask):
        self.ask, self.statuses = ask, {}

    # ANCHOR: track
    async def track(self, parcel):
        status = await self.ask(parcel)
        self.statuses[parcel] = status
    # ANCHOR_END: track

    # ANCHOR: futures
    async def track_all(self, parcels):
        """With `gather`, which makes a task of each coroutine, too."""
        await asyncio.gather(*(self.track(parcel) for parcel in parcels))
    # ANCHOR_END: futures

    # ANCHOR: tasks
    async def track_in_tasks(self, parcels):
        async with asyncio.TaskGroup() as tasks:
            for parcel in parcels:
                tasks.create_task(self.track(parcel))
    # ANCHOR_END: tasks


# ANCHOR: threads
async def render_all(parcels, render):
    """On threads. They may use all objects of the program."""
    middle = len(parcels) // 2

    def render_half(half):
        return [render(parcel) for parcel in half]

    left, right = await asyncio.gather(
        asyncio.to_thread(render_half, parcels[:middle]),
        asyncio.to_thread(render_half, parcels[middle:]),
    )
    return left + right
# ANCHOR_END: threads
# ANCHOR_END: keep


import threading


async def ask(parcel):
    await asyncio.sleep(0.001)
    if parcel == 13:
        raise LookupError("404 Not Found")
    await asyncio.sleep(0.001)
    return "in transit"


def label(parcel):
    return f"label {parcel}"


async def main():
    # ANCHOR: call
    tracker = Tracker(ask)
    await tracker.track_all([7, 8])
    await tracker.track_in_tasks([9])
    labels = await render_all([7, 8, 9], label)
    # ANCHOR_END: call
    assert set(tracker.statuses) == {7, 8, 9}
    assert set(tracker.statuses.values()) == {"in transit"}
    assert labels == ["label 7", "label 8", "label 9"]

    # Each half has a thread of its own, at the same time.
    barrier = threading.Barrier(2, timeout=10)
    await render_all([7, 8], lambda parcel: barrier.wait())

    tracker = Tracker(ask)
    try:
        await tracker.track_all([7, 13])
        raise AssertionError("it fails")
    except LookupError:
        pass
    try:
        await tracker.track_in_tasks([8, 13])
        raise AssertionError("it fails")
    except* LookupError:
        pass
    await asyncio.sleep(0.1)
    assert list(tracker.statuses) == [7]  # `gather` lets the others run on


asyncio.run(main())
