# ANCHOR: keep
import asyncio
import enum


# ANCHOR: end
class End(enum.Enum):
    DONE = enum.auto()
    FAILED = enum.auto()
    CANCELLED = enum.auto()
    STILL_RUNNING = enum.auto()  # has not reached an await, or refuses
# ANCHOR_END: end


class Tasks:
    """Tasks that are stopped together."""

    def __init__(self, stopping):
        self.stopping = stopping  # an asyncio.Event
        self.names = {}  # of each task

    # ANCHOR: spawn
    def spawn(self, name, coroutine):
        self.names[asyncio.create_task(coroutine)] = name
    # ANCHOR_END: spawn

    # ANCHOR: stop
    async def stop(self, grace, last):
        """Sets the event, waits for `grace`, cancels the rest, and waits for
        `last`. What is still running then can be stopped by another call.
        """
        self.stopping.set()
        await self.join(grace)
        for task in self.names:
            if isinstance(task, asyncio.Task):  # not a thread
                task.cancel()  # does nothing if it has ended
        await self.join(last)
        ends = [(name, *end(task)) for task, name in self.names.items()]
        running = [task for task in self.names if not task.done()]
        self.names = {task: self.names[task] for task in running}
        return ends
    # ANCHOR_END: stop

    async def join(self, limit):
        if self.names:
            await asyncio.wait(self.names, timeout=limit)


def end(task):
    if not task.done():
        return End.STILL_RUNNING, None
    if task.cancelled():
        return End.CANCELLED, None
    if error := task.exception():
        return End.FAILED, error
    return End.DONE, task.result()
# ANCHOR_END: keep


# Carriers whose events are stored, and how their tasks must end.
import logging
import selectors
import threading

log = logging.getLogger(__name__)
GRACE, LAST = 5, 1  # seconds


class Clock(selectors.DefaultSelector):
    """Jumps to the next timer, as tokio's paused clock does."""

    now = 0

    def select(self, timeout=None):
        self.now += timeout or 0
        return super().select(0)


class Carrier:
    """An event every so many seconds. To store it takes two seconds."""

    def __init__(self, every):
        self.every = every
        self.stored = 0

    async def next(self):
        await asyncio.sleep(self.every)
        return "scanned"

    async def store(self, event):
        await asyncio.sleep(2)
        self.stored += 1


# ANCHOR: follow
async def until_stopped(stopping, coroutine):
    """The value, or None if `stopping` is set first."""
    task = asyncio.create_task(coroutine)
    stopped = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait(
            [task, stopped], return_when=asyncio.FIRST_COMPLETED
        )
        return task.result() if task.done() else None
    finally:
        task.cancel()
        stopped.cancel()
        await asyncio.gather(task, stopped, return_exceptions=True)


async def follow(carrier, stopping):
    """Stores events until `stopping` is set."""
    stored = 0
    while not stopping.is_set():
        event = await until_stopped(stopping, carrier.next())
        if event is None:
            break
        await carrier.store(event)
        stored += 1
    return stored
# ANCHOR_END: follow


def by_name(ends):
    return [(name, end.name) for name, end, _ in sorted(ends, key=str)]


async def each_end():
    """A task for each way to end. The event is set after seven seconds."""
    now = asyncio.get_running_loop().time
    tasks = Tasks(asyncio.Event())

    async def has_failed():
        await asyncio.sleep(1)
        raise LookupError("no such carrier")

    async def fails():
        await tasks.stopping.wait()
        raise OSError("the database is gone")

    released = asyncio.Event()

    async def refuses():
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                pass

    class Ready(Carrier):
        async def next(self):
            return ""  # at once, and not true

    waits, stores, is_ready = Carrier(4), Carrier(6), Ready(0)
    tasks.spawn("is ready", follow(is_ready, tasks.stopping))
    tasks.spawn("waits", follow(waits, tasks.stopping))
    tasks.spawn("stores", follow(stores, tasks.stopping))
    tasks.spawn("has failed", has_failed())
    tasks.spawn("fails", fails())
    tasks.spawn("ignores it", asyncio.Event().wait())
    tasks.spawn("refuses", refuses())
    await asyncio.sleep(7)

    start = now()
    ends = await tasks.stop(GRACE, LAST)
    assert now() - start == GRACE + LAST, "for the one that refuses"
    assert by_name(ends) == [
        ("fails", "FAILED"),
        ("has failed", "FAILED"),
        ("ignores it", "CANCELLED"),
        ("is ready", "DONE"),
        ("refuses", "STILL_RUNNING"),
        ("stores", "DONE"),
        ("waits", "DONE"),
    ]
    assert (waits.stored, stores.stored, is_ready.stored) == (1, 1, 4)
    ends = await tasks.stop(GRACE, LAST)
    assert by_name(ends) == [("refuses", "STILL_RUNNING")]
    released.set()
    ends = await tasks.stop(GRACE, LAST)
    assert by_name(ends) == [("refuses", "DONE")]


async def caller():
    """The caller gives up after two seconds, and calls again."""
    tasks = Tasks(asyncio.Event())
    tasks.spawn("waits", follow(Carrier(4), tasks.stopping))
    tasks.spawn("ignores it", asyncio.Event().wait())
    try:
        async with asyncio.timeout(2):
            await tasks.stop(GRACE, LAST)
        raise AssertionError("it ended in time")
    except TimeoutError:
        pass
    ends = await tasks.stop(GRACE, LAST)
    assert by_name(ends) == [("ignores it", "CANCELLED"), ("waits", "DONE")]
    assert await tasks.stop(GRACE, LAST) == []


async def on_a_thread():
    """A thread is not cancelled. It is in the set, and its value is kept."""
    tasks = Tasks(asyncio.Event())
    release = threading.Event()
    loop = asyncio.get_running_loop()
    tasks.names[loop.run_in_executor(None, release.wait)] = "import"
    ends = await tasks.stop(0.01, 0.01)
    assert ends == [("import", End.STILL_RUNNING, None)]
    release.set()
    assert await tasks.stop(60, 60) == [("import", End.DONE, True)]


async def main():
    shutdown = asyncio.Event()
    asyncio.get_running_loop().call_later(5, shutdown.set)
    carrier = Carrier(4)
    # ANCHOR: call
    tasks = Tasks(shutdown)
    tasks.spawn("carrier 7", follow(carrier, tasks.stopping))
    await shutdown.wait()
    for name, end, value in await tasks.stop(grace=5, last=1):
        if end is End.DONE:
            log.info("%s: stored %d", name, value)
        else:
            log.error("%s: %s %r", name, end.name, value)
    # ANCHOR_END: call
    assert carrier.stored == 1

    await each_end()
    await caller()


clock = Clock()
loop = asyncio.SelectorEventLoop(clock)
loop.time = lambda: clock.now
with asyncio.Runner(loop_factory=lambda: loop) as runner:
    runner.run(main())
asyncio.run(on_a_thread())
