# ANCHOR: keep
import asyncio
import logging

log = logging.getLogger(__name__)


class Tasks:
    """Owns background tasks."""

    # ANCHOR: tasks
    def __init__(self):
        self.closing = asyncio.Event()  # asks the tasks to end
        self.running = set()
    # ANCHOR_END: tasks

    # ANCHOR: spawn
    def spawn(self, name, task):
        """Starts `task(closing)`, and logs once how it ends.

        It should end soon after `closing` is set. An error after the
        shutdown has begun.
        """
        if self.closing.is_set():
            raise RuntimeError(f"{name}: the shutdown has begun")
        task = asyncio.create_task(task(self.closing), name=name)
        self.running.add(task)  # the event loop has only a weak reference
        task.add_done_callback(self.log_end)
    # ANCHOR_END: spawn

    # ANCHOR: log_end
    def log_end(self, task):
        self.running.discard(task)
        name = task.get_name()
        if task.cancelled():
            log.warning("%s: cancelled", name)
        elif error := task.exception():
            log.error("%s: %r", name, error, exc_info=error)
        else:
            log.info("%s: ended", name)
    # ANCHOR_END: log_end

    # ANCHOR: shut_down
    async def shut_down(self, drain, last):
        """Asks the tasks to end, and waits `drain` for them. Cancels the
        others, and waits `last`. Returns the names of those that still run.
        """
        self.closing.set()
        await self.wait(drain)
        for task in self.running:
            task.cancel()
        await self.wait(last)
        return sorted(task.get_name() for task in self.running)
    # ANCHOR_END: shut_down

    async def wait(self, timeout):
        if self.running:
            await asyncio.wait(self.running, timeout=timeout)
# ANCHOR_END: keep


# A service with background tasks, and what must become of them.
import selectors
from contextlib import suppress


class Clock(selectors.DefaultSelector):
    """Jumps to the next timer, as tokio's paused clock does."""

    now = 0

    def select(self, timeout=None):
        self.now += timeout or 0
        return super().select(0)


lines = []
loads = []


def take():
    """The lines of the log since the last call."""
    taken = list(lines)
    lines.clear()
    return taken


class Lines(logging.Handler):
    def emit(self, record):
        traceback = " (traceback)" if record.exc_info else ""
        lines.append(f"{record.levelname} {record.getMessage()}{traceback}")


# ANCHOR: refresh
async def refresh(closing):
    """Loads the quotes every minute, and ends after a whole round."""
    while not closing.is_set():
        await load()
        with suppress(TimeoutError):
            await asyncio.wait_for(closing.wait(), timeout=60)
# ANCHOR_END: refresh


async def load():
    loads.append("begun")
    await asyncio.sleep(2)
    loads[-1] = "done"


async def track(parcel):
    await asyncio.sleep(1)
    if parcel == 13:
        raise LookupError("parcel 13 is unknown")


async def slow(closing):
    await closing.wait()
    await asyncio.sleep(3)


async def deaf(_closing):
    await asyncio.sleep(3600)


async def refuses(_closing):
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(3600)
    await asyncio.sleep(3600)


async def main():
    log.addHandler(Lines())
    log.setLevel(logging.INFO)
    log.propagate = False
    now = asyncio.get_running_loop().time

    # ANCHOR: call
    tasks = Tasks()
    tasks.spawn("refresh", refresh)
    await asyncio.sleep(63)  # your service: it ends at SIGTERM
    left = await tasks.shut_down(5, 1)  # before `main` ends
    if left:
        log.error("still running: %s", left)
    # ANCHOR_END: call
    assert take() == ["INFO refresh: ended"]
    assert loads == ["done", "done"], "it stops between two rounds"

    # Each end is logged when it comes, once.
    tasks = Tasks()
    tasks.spawn("track 7", lambda _: track(7))
    tasks.spawn("track 13", lambda _: track(13))
    assert len(tasks.running) == 2
    await asyncio.sleep(2)
    assert not tasks.running
    unknown = "LookupError('parcel 13 is unknown') (traceback)"
    assert take() == ["INFO track 7: ended", f"ERROR track 13: {unknown}"]
    assert await tasks.shut_down(5, 1) == []

    # Which tasks are shut down, and then: the names that are left, seconds.
    for spawned, left, seconds, ends in [
        ([slow], [], 3, ["INFO slow: ended"]),
        ([slow, deaf], [], 5, ["INFO slow: ended", "WARNING deaf: cancelled"]),
        ([refuses], ["refuses"], 6, []),
    ]:
        tasks = Tasks()
        for task in spawned:
            tasks.spawn(task.__name__, task)
        await asyncio.sleep(1)
        start = now()
        assert await tasks.shut_down(5, 1) == left
        assert round(now() - start) == seconds
        assert take() == ends

    try:
        tasks.spawn("late", lambda _: track(7))
        raise AssertionError("too late")
    except RuntimeError as error:
        assert str(error) == "late: the shutdown has begun"


clock = Clock()
loop = asyncio.SelectorEventLoop(clock)
loop.time = lambda: clock.now
with asyncio.Runner(loop_factory=lambda: loop) as runner:
    runner.run(main())
