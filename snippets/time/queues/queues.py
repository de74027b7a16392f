# ANCHOR: keep
import asyncio
import heapq
import itertools


class Closed(Exception):
    """The queue takes no more jobs. The job comes back."""


class PriorityQueue:
    # ANCHOR: new
    def __init__(self, capacity):
        self.jobs, self.numbers = [], itertools.count()
        self.capacity, self.closed = capacity, False
        self.changed = asyncio.Condition()
    # ANCHOR_END: new

    # ANCHOR: send
    async def send(self, priority, job):
        """Waits for a place. Fails if the queue is closed."""
        async with self.changed:
            await self.changed.wait_for(
                lambda: self.closed or len(self.jobs) < self.capacity
            )
            if self.closed:
                raise Closed(job)
            entry = (priority, next(self.numbers), job)
            heapq.heappush(self.jobs, entry)
            self.changed.notify_all()
    # ANCHOR_END: send

    # ANCHOR: recv
    async def recv(self):
        """The first job, or `None` if the queue is closed and empty."""
        async with self.changed:
            await self.changed.wait_for(lambda: self.closed or self.jobs)
            if not self.jobs:
                return None
            _, _, job = heapq.heappop(self.jobs)
            self.changed.notify_all()
            return job
    # ANCHOR_END: recv

    # ANCHOR: close
    async def close(self):
        async with self.changed:
            self.closed = True
            self.changed.notify_all()
    # ANCHOR_END: close

    # ANCHOR: work
    async def work(self, handle, report):
        """Handles jobs, and reports each."""
        while (job := await self.recv()) is not None:
            error = None
            try:
                await handle(job)
            except asyncio.CancelledError as raised:
                report(job, raised)
                raise
            except Exception as raised:
                error = raised
            report(job, error)
    # ANCHOR_END: work
# ANCHOR_END: keep


# Notifications that are sent for parcels, and what must come of them.
import logging


class PausedLoop(asyncio.SelectorEventLoop):
    """Its clock jumps to the next timer when nothing else can run."""

    paused_at = 0.0

    def __init__(self):
        super().__init__()
        select = self._selector.select

        def jump(timeout):
            self.paused_at += timeout or 0
            return select(timeout and 0)

        self._selector.select = jump

    def time(self):
        return round(self.paused_at, 3)


async def notify(parcel):
    """Sends a notification, in five seconds."""
    await asyncio.sleep(5)
    if parcel % 10 == 0:
        raise ValueError("no address")


def start(count, capacity):
    reports = []
    jobs = PriorityQueue(capacity)

    def report(parcel, error):
        reports.append((parcel, type(error)))

    work = [
        asyncio.create_task(jobs.work(notify, report)) for _ in range(count)
    ]
    return jobs, work, reports


DONE = type(None)


async def main():
    now = asyncio.get_running_loop().time

    # ANCHOR: call
    def report(parcel, error):
        if error is None:
            logging.info("%s: notified", parcel)
        else:
            logging.error("%s: %r", parcel, error)

    jobs = PriorityQueue(8)
    workers = [
        asyncio.create_task(jobs.work(notify, report)) for _ in range(3)
    ]
    try:
        await jobs.send(1, 7)
    except Closed as closed:
        logging.warning("%s: the queue is closed", closed)
    await jobs.close()  # before `main` ends
    # A `report` that raises ends its worker, and not the others.
    for error in await asyncio.gather(*workers, return_exceptions=True):
        if error is not None:
            logging.error("a worker has ended", exc_info=error)
    # ANCHOR_END: call

    # Urgent ones first, and equal ones in their order.
    jobs, workers, reports = start(1, 8)
    for priority, parcel in [(1, 1), (2, 2), (1, 3), (2, 4), (0, 5), (1, 6)]:
        await jobs.send(priority, parcel)
        await asyncio.sleep(0.001)
    await jobs.close()
    await asyncio.gather(*workers)
    assert reports == [(parcel, DONE) for parcel in [1, 5, 3, 6, 2, 4]]

    # Jobs that fail: the workers go on. Jobs need no order.
    jobs, workers, reports = start(3, 8)
    begun = now()
    for parcel in range(1, 101):
        await jobs.send(1, parcel)
    await jobs.close()
    await asyncio.gather(*workers)
    ends = [end for _, end in reports]
    assert (ends.count(DONE), ends.count(ValueError)) == (90, 10)
    assert now() - begun == 170

    # Full: the producer waits. If it gives up, it has sent nothing.
    jobs, workers, reports = start(1, 2)
    begun, accepted = now(), []
    for parcel in range(1, 6):
        await jobs.send(1, parcel)
        accepted.append(now() - begun)
    assert accepted == [0, 0, 0, 5, 10]
    try:
        await asyncio.wait_for(jobs.send(0, 6), 1)
        raise AssertionError("accepted")
    except TimeoutError:
        await jobs.close()
    await asyncio.gather(*workers)
    assert [parcel for parcel, _ in reports] == [1, 2, 3, 4, 5]

    # Closed: those that wait for a place are refused.
    jobs, workers, reports = start(1, 2)
    producers = [asyncio.create_task(jobs.send(1, job)) for job in range(1, 7)]
    await asyncio.sleep(1)
    await jobs.close()
    begun = now()
    results = await asyncio.gather(*producers, return_exceptions=True)
    assert now() == begun, "they do not wait for the worker"
    refused = [error.args[0] for error in results if error]
    await asyncio.gather(*workers)
    assert [parcel for parcel, _ in reports] == [1, 2, 3]
    assert refused == [4, 5, 6]

    # Closed while the workers wait for jobs.
    jobs, workers, reports = start(3, 2)
    await asyncio.sleep(1)
    await jobs.close()
    await asyncio.wait_for(asyncio.gather(*workers), 1)

    # A worker that is cancelled reports its job. Another that waits has none.
    jobs, workers, reports = start(1, 8)
    for parcel in [1, 2]:
        await jobs.send(1, parcel)
    await asyncio.sleep(1)
    workers[0].cancel()
    results = await asyncio.gather(*workers, return_exceptions=True)
    assert [*map(type, results)] == [asyncio.CancelledError]
    assert reports == [(1, asyncio.CancelledError)]
    assert await jobs.recv() == 2
    waits = asyncio.create_task(jobs.recv())
    await asyncio.sleep(1)
    await jobs.send(1, 3)
    waits.cancel()
    assert await jobs.recv() == 3

    # What cannot be compared is found at the first comparison.
    jobs = PriorityQueue(8)
    await jobs.send(1, "a label")
    try:
        await jobs.send("urgent", "a notification")
        raise AssertionError("compared")
    except TypeError as error:
        assert "'<' not supported" in str(error)
    # The job is in the queue nonetheless.
    assert len(jobs.jobs) == 2


with asyncio.Runner(loop_factory=PausedLoop) as runner:
    runner.run(main())
