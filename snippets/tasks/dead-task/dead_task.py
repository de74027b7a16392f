# ANCHOR: keep
import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass

log = logging.getLogger(__name__)


@dataclass
class Limits:
    backoff: float  # before the first restart; doubled for each further one
    restarts: int   # at most so many within `window`
    window: float
    silence: float  # a task without a heartbeat for so long hangs


async def supervise(name, limits, closing, up, task):
    """Restarts a task when it fails or hangs. Returns when it ends without an
    error. An error if it fails too often, or cannot be cancelled.
    """
    now = asyncio.get_running_loop().time
    failures = []
    while True:
        # ANCHOR: run
        beats = asyncio.Event()

        def beat():
            beats.set()
            up.set()

        child = asyncio.create_task(task(beat), name=name)
        silent = asyncio.create_task(until_silent(beats, up, limits.silence))
        first = asyncio.FIRST_COMPLETED
        try:
            await asyncio.wait({child, silent}, return_when=first)
            hangs = not child.done()
            if hangs:
                child.cancel()
                await asyncio.wait({child}, timeout=limits.silence)
                if not child.done():
                    raise TimeoutError(f"{name} cannot be cancelled")
        finally:
            child.cancel()
            silent.cancel()
            up.clear()
        # ANCHOR_END: run
        # ANCHOR: end
        if hangs or child.cancelled():
            error = TimeoutError("no heartbeat")
        elif not (error := child.exception()):
            return
        # ANCHOR_END: end
        # ANCHOR: restart
        failures = [at for at in failures if now() - at < limits.window]
        count = len(failures)
        if count == limits.restarts or closing.is_set():
            raise RuntimeError(f"{name} is not restarted") from error
        failures.append(now())
        wait = limits.backoff * 2**count
        log.error("%s, restart in %s s", name, wait, exc_info=error)
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await closing.wait()
            return
        # ANCHOR_END: restart


# ANCHOR: until_silent
async def until_silent(beats, up, silence):
    """Returns when the task has sent no heartbeat for `silence`."""
    await asyncio.sleep(silence)
    while beats.is_set():
        beats.clear()
        await asyncio.sleep(silence)
    up.clear()
# ANCHOR_END: until_silent
# ANCHOR_END: keep


# Tasks that end in every way, and what must become of them.
import selectors


class Clock(selectors.DefaultSelector):
    """Jumps to the next timer, as tokio's paused clock does."""

    now = 0

    def select(self, timeout=None):
        self.now += timeout or 0
        return super().select(0)


class Lines(logging.Handler):
    """Keeps each line of the log, and the error in it."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append((record.getMessage(), record.exc_info[1]))


LIMITS = Limits(backoff=1, restarts=5, window=600, silence=30)
running = set()


# ANCHOR: task
async def store_events(events, store, beat, closing):
    """Stores events, and sends a heartbeat at least every ten seconds."""
    while not closing.is_set():
        beat()  # the heartbeat
        try:
            async with asyncio.timeout(10):
                event = await events.get()
        except TimeoutError:
            continue  # no event for 10 s
        await store(event)
# ANCHOR_END: task


async def run(what, beat):
    """A run of a task: what it does a second after its start."""
    running.add(what)
    try:
        if what == "mute":
            await asyncio.sleep(3600)
        beat()
        for _ in range(20 if what == "fails later" else 0):
            await asyncio.sleep(10)
            beat()
        await asyncio.sleep(1)
        if what == "ends":
            return
        if what == "refuses":
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)
        if what == "cancels":
            raise asyncio.CancelledError
        if what == "returns":
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)
            return
        if what in {"hangs", "refuses"}:
            await asyncio.sleep(3600)
        raise OSError("disk full")
    finally:
        running.remove(what)


class Trial:
    """A supervised task. Its last run is repeated."""

    def __init__(self, script):
        self.runs = 0
        self.script = script
        self.closing, self.up = asyncio.Event(), asyncio.Event()
        supervisor = supervise(
            "prices", LIMITS, self.closing, self.up, self.task
        )
        self.start = asyncio.get_running_loop().time()
        self.supervisor = asyncio.create_task(supervisor)

    async def task(self, beat):
        assert asyncio.current_task().get_name() == "prices"
        self.runs += 1
        await run(self.script[min(self.runs, len(self.script)) - 1], beat)

    async def end(self):
        """The seconds, the runs, and the error."""
        try:
            await self.supervisor
            error = None
        except (RuntimeError, TimeoutError) as caught:
            error = str(caught)
        assert not self.up.is_set()
        now = asyncio.get_running_loop().time()
        return int(now - self.start), self.runs, error


async def main():
    lines = Lines()
    log.addHandler(lines)
    log.propagate = False

    # ANCHOR: call
    events, closing = asyncio.Queue(), asyncio.Event()
    up, stored = asyncio.Event(), []

    async def store(parcel):
        await asyncio.sleep(1)
        if parcel == 13:
            raise OSError("disk full")
        stored.append(parcel)
        if parcel == 3:
            closing.set()

    def task(beat):
        return store_events(events, store, beat, closing)

    for parcel in [1, 13, 2, 3]:
        events.put_nowait(parcel)
    await supervise("events", LIMITS, closing, up, task)
    # ANCHOR_END: call
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == 1, "nothing waits for heartbeats"
    assert stored == [1, 2, 3]
    ((line, error),) = lines.lines
    assert line == "events, restart in 1 s" and str(error) == "disk full"

    gives_up = "prices is not restarted"
    rarely = ["fails later"] * 7 + ["ends"]
    for script, *ended in [
        (["ends"], 1, 1, None),
        (["fails", "fails", "ends"], 6, 3, None),
        (["hangs", "ends"], 62, 2, None),
        (["mute", "ends"], 32, 2, None),
        (["returns", "ends"], 62, 2, None),
        (["cancels", "ends"], 3, 2, None),
        (["fails"], 37, 6, gives_up),
        (rarely, 1431, 8, None),
        (["refuses"], 90, 1, "prices cannot be cancelled"),
    ]:
        lines.lines.clear()
        assert [*await Trial(script).end()] == ended
        restarts = [line for line, _ in lines.lines]
        assert len(restarts) == ended[1] - 1
    await asyncio.sleep(1)
    assert not running and len(asyncio.all_tasks()) == 1

    # It is down before the second limit.
    trial = Trial(["refuses"])
    await asyncio.sleep(61)
    assert running and not trial.up.is_set()
    await trial.end()

    # Cancelled in a run, and in a wait.
    for seconds, error in [(0.5, gives_up), (1.5, None)]:
        trial = Trial(["fails"])
        await asyncio.sleep(seconds)
        trial.closing.set()
        assert await trial.end() == (1, 1, error)

    # The supervisor is cancelled.
    trial = Trial(["hangs"])
    await asyncio.sleep(2)
    assert trial.up.is_set()
    trial.supervisor.cancel()
    await asyncio.wait({trial.supervisor})
    await asyncio.sleep(1)
    assert not running and not trial.up.is_set()


clock = Clock()
loop = asyncio.SelectorEventLoop(clock)
loop.time = lambda: clock.now
with asyncio.Runner(loop_factory=lambda: loop) as runner:
    runner.run(main())
