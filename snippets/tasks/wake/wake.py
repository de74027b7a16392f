# ANCHOR: keep
import asyncio
import heapq
from enum import IntEnum


class Status(IntEnum):
    ACCEPTED = 0
    IN_TRANSIT = 1
    DELIVERED = 2


class Parcel:
    """A parcel. Tasks can wait for its status."""

    # ANCHOR: new
    def __init__(self):
        self.status = Status.ACCEPTED
        self.changed = asyncio.Condition()
    # ANCHOR_END: new

    # ANCHOR: scan
    async def scan(self, status):
        """Wakes the tasks that wait, unless a later scan has come before."""
        async with self.changed:
            if status > self.status:
                self.status = status
                self.changed.notify_all()
    # ANCHOR_END: scan

    async def reached(self, status):
        """Waits until the parcel has the status, or a later one. Returns it."""
        # ANCHOR: reached
        async with self.changed:
            await self.changed.wait_for(lambda: self.status >= status)
            return self.status
        # ANCHOR_END: reached


class Jobs:
    """Jobs for several workers. The largest number is the most urgent job."""

    def __init__(self):
        self.jobs = []
        self.added = asyncio.Condition()

    async def add(self, job):
        """Wakes all workers: 3.11 loses notify() if its task is cancelled."""
        # ANCHOR: add
        async with self.added:
            heapq.heappush(self.jobs, -job)
            self.added.notify_all()
        # ANCHOR_END: add

    async def take(self):
        # ANCHOR: take
        async with self.added:
            await self.added.wait_for(lambda: self.jobs)
            return -heapq.heappop(self.jobs)
        # ANCHOR_END: take
# ANCHOR_END: keep


# Tasks that wait for parcels and jobs, and what must come of them.
async def turns():
    for _ in range(10):
        await asyncio.sleep(0)


async def main():
    notified = []
    # ANCHOR: call
    parcel = Parcel()

    async def notify():
        status = await parcel.reached(Status.IN_TRANSIT)
        notified.append(f"notify the customer: {status.name}")

    notification = asyncio.create_task(notify())
    await asyncio.sleep(0.002)
    await parcel.scan(Status.IN_TRANSIT)
    # ANCHOR_END: call
    await notification
    assert notified == ["notify the customer: IN_TRANSIT"]

    parcel = Parcel()
    waiting = [
        asyncio.create_task(parcel.reached(Status.IN_TRANSIT))
        for _ in range(3)
    ]
    await turns()
    await parcel.scan(Status.ACCEPTED)
    await turns()
    assert not any(task.done() for task in waiting)
    await parcel.scan(Status.DELIVERED)
    assert await asyncio.gather(*waiting) == [Status.DELIVERED] * 3
    assert await parcel.reached(Status.DELIVERED) == Status.DELIVERED
    await parcel.scan(Status.IN_TRANSIT)
    assert parcel.status == Status.DELIVERED
    assert Parcel().status == Status.ACCEPTED
    assert list(Status) == [0, 1, 2]

    jobs = Jobs()
    for job in (1, 5):
        await jobs.add(job)
    assert [await jobs.take(), await jobs.take()] == [5, 1]

    workers = [asyncio.create_task(jobs.take()) for _ in range(3)]
    await turns()
    for index, job in enumerate((7, 8, 9)):
        await jobs.add(job)
        await turns()
        assert sum(worker.done() for worker in workers) == index + 1
    assert sorted(await asyncio.gather(*workers)) == [7, 8, 9]

    # A worker has been woken, and is cancelled before it runs.
    first = asyncio.create_task(jobs.take())
    second = asyncio.create_task(jobs.take())
    await turns()
    await jobs.add(7)
    first.cancel()
    assert await second == 7
    await asyncio.wait([first])
    assert first.cancelled() and not jobs.jobs


asyncio.run(main())
