# ANCHOR: keep
import asyncio
import enum
import logging

CLOSED = object()


# ANCHOR: outcome
class Outcome(enum.Enum):
    DONE = enum.auto()
    FAILED = enum.auto()
    CANCELLED = enum.auto()  # may have been done in part
    NOT_STARTED = enum.auto()  # can be sent again
# ANCHOR_END: outcome


class Closed(Exception):
    """The pool takes no more jobs. The job comes back."""


class WorkerPool:
    def __init__(self, count, capacity, handle, report):
        """Starts workers that share the jobs, and report how each has ended."""
        # ANCHOR: open
        self.jobs = asyncio.Queue()
        self.places = asyncio.Semaphore(capacity)
        self.closed = False
        self.handle, self.report = handle, report
        # ANCHOR_END: open
        self.workers = [
            asyncio.create_task(self.worker()) for _ in range(count)
        ]

    async def send(self, job):
        """Waits while the queue is full."""
        await self.places.acquire()
        if self.closed:
            self.places.release()
            raise Closed(job)
        self.jobs.put_nowait(job)

    # ANCHOR: worker
    async def worker(self):
        while (job := await self.jobs.get()) is not CLOSED:
            self.places.release()
            # ANCHOR_END: worker
            # ANCHOR: run
            outcome, error = Outcome.DONE, None
            try:
                await self.handle(job)
            except Exception as raised:
                outcome, error = Outcome.FAILED, raised
            except asyncio.CancelledError:
                outcome = Outcome.CANCELLED
            self.tell(job, outcome, error)
            if asyncio.current_task().cancelling():
                return
            # ANCHOR_END: run

    def tell(self, job, outcome, error=None):
        try:
            self.report(job, outcome, error)
        except Exception:  # does not end the worker
            logging.exception("report of %s", job)

    # ANCHOR: shut_down
    async def shut_down(self, limit):
        """Refuses new jobs. Cancels at the limit what has not finished."""
        self.closed = True
        for _ in self.workers:
            self.jobs.put_nowait(CLOSED)
        _, late = await asyncio.wait(self.workers, timeout=limit)
        for worker in late:
            worker.cancel()
        await asyncio.wait(self.workers)
        while not self.jobs.empty():
            if (job := self.jobs.get_nowait()) is not CLOSED:
                self.places.release()
                self.tell(job, Outcome.NOT_STARTED)
    # ANCHOR_END: shut_down
# ANCHOR_END: keep


# Notifications that are sent for parcels, and what must come of them.
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
    if parcel == 13:
        raise asyncio.CancelledError
    if parcel % 10 == 0:
        raise ValueError("no address")


class Reports:
    def __init__(self):
        self.ends = {}

    def add(self, parcel, outcome, error):
        assert parcel not in self.ends, "each job is reported once"
        assert isinstance(error, ValueError) == (outcome is Outcome.FAILED)
        self.ends[parcel] = outcome

    def count(self, outcome):
        return list(self.ends.values()).count(outcome)


def start(count, capacity):
    reports = Reports()
    return WorkerPool(count, capacity, notify, reports.add), reports


async def main():
    now = asyncio.get_running_loop().time

    # ANCHOR: call
    def report(parcel, outcome, error):
        match outcome:
            case Outcome.DONE:
                logging.info("%s: notified", parcel)
            case Outcome.NOT_STARTED:
                logging.warning("%s: send it again", parcel)
            case other:
                logging.error("%s: %s %r", parcel, other.name, error)

    pool = WorkerPool(3, 8, notify, report)
    await pool.send(7)  # waits while eight jobs are in the queue
    await pool.shut_down(25)
    # ANCHOR_END: call

    # Jobs that fail: the pool goes on.
    pool, reports = start(3, 8)
    begun = now()
    for parcel in range(1, 101):
        await pool.send(parcel)
    await pool.shut_down(60)
    assert now() - begun == 170
    assert reports.count(Outcome.DONE) == 89
    assert reports.count(Outcome.FAILED) == 10
    assert reports.count(Outcome.CANCELLED) == 1

    # Full: the producer waits.
    pool, _ = start(1, 2)
    begun, accepted = now(), []
    for parcel in range(1, 6):
        await pool.send(parcel)
        accepted.append(now() - begun)
    assert accepted == [0, 0, 0, 5, 10]
    await pool.shut_down(60)

    # Closed while producers go on, and with a limit that is too short.
    for limit, seconds, cancelled, left in [(25, 17, 0, 0), (1, 1, 3, 8)]:
        pool, reports = start(3, 8)

        async def producer(first, pool=pool):
            parcel = first
            try:
                while True:
                    await pool.send(parcel)
                    parcel += 2
            except Closed as refused:
                (job,) = refused.args
                return job

        producers = [asyncio.create_task(producer(n)) for n in (1, 2)]
        await asyncio.sleep(48)
        begun = now()
        await pool.shut_down(limit)
        assert now() - begun == seconds
        ours = 1  # parcel 13 cancels itself
        count = reports.count(Outcome.CANCELLED)
        assert count == ours + cancelled
        assert reports.count(Outcome.NOT_STARTED) == left
        refused = await asyncio.gather(*producers)
        sent = {job for last in refused for job in range(last, 0, -2)}
        assert sent == {*reports.ends, *refused}
        assert 2 not in refused, "the senders are served in order"

    # More producers than places wait while it is closed.
    pool, reports = start(1, 1)
    producers = [asyncio.create_task(pool.send(job)) for job in range(1, 9)]
    await asyncio.sleep(1)
    await pool.shut_down(60)
    results = await asyncio.gather(*producers, return_exceptions=True)
    assert [*map(type, results)] == [type(None)] * 2 + [Closed] * 6
    assert [*reports.ends] == [1, 2]

    # A report that raises does not end the worker.
    handled = []

    async def handle(parcel):
        handled.append(parcel)

    def no_log(parcel, outcome, error):
        raise OSError("no log")

    logging.disable()
    pool = WorkerPool(1, 8, handle, no_log)
    for parcel in (1, 2):
        await pool.send(parcel)
    await pool.shut_down(60)
    assert handled == [1, 2]

    # Idle.
    pool, reports = start(3, 8)
    begun = now()
    await pool.shut_down(60)
    assert now() == begun and not reports.ends
    assert asyncio.all_tasks() == {asyncio.current_task()}


with asyncio.Runner(loop_factory=PausedLoop) as runner:
    runner.run(main())
