# ANCHOR: keep
import asyncio
import random

JITTER = 0.1  # seconds, the longest random time that is added to each wait


# ANCHOR: pace
class Busy(Exception):
    """Too many callers wait already."""


class Pace:
    """Spaces your own calls. Those that wait are served in order."""

    def __init__(self, count, period, burst, places):
        self.interval = period / count
        self.tolerance = self.interval * (burst - 1)
        self.places, self.inside = places, 0
        self.turn = asyncio.Lock()
        self.next = self.resume = 0.0

    def check(self, now):
        """Takes a call, or returns how long there is none."""
        wait = self.next - self.tolerance - now
        if wait > 0:
            return wait
        self.next = max(self.next, now) + self.interval
        return 0
    # ANCHOR_END: pace

    # ANCHOR: ready
    async def ready(self):
        """Returns when you may call."""
        if self.inside == self.places:
            raise Busy
        self.inside += 1
        try:
            async with self.turn:
                while True:
                    now = asyncio.get_running_loop().time()
                    wait = self.resume - now
                    if wait <= 0 and (wait := self.check(now)) == 0:
                        return
                    await asyncio.sleep(wait + random.uniform(0, JITTER))
        finally:
            self.inside -= 1
    # ANCHOR_END: ready

    # ANCHOR: pause
    def pause(self, retry_after):
        """Makes no call for a time, an hour at most: the answer was 429."""
        until = asyncio.get_running_loop().time() + min(retry_after, 3600)
        self.resume = max(self.resume, until)
    # ANCHOR_END: pause
# ANCHOR_END: keep


# Calls of a carrier, at the second in which they begin.
import selectors
import time


class Clock(selectors.DefaultSelector):
    """Jumps to the next timer, as tokio's paused clock does."""

    now = 0.0

    def select(self, timeout=None):
        self.now += timeout or 0
        return super().select(0)


def now():
    return asyncio.get_running_loop().time()


def new(places, burst=4):
    return Pace(count=4, period=60, burst=burst, places=places)


async def call(pace, start):
    """In which second a call may begin. `None` if it is refused."""
    try:
        await pace.ready()
    except Busy:
        return None
    return int(now() - start)


async def calls(pace, count):
    start = now()
    return await asyncio.gather(*(call(pace, start) for _ in range(count)))


async def track():
    await asyncio.sleep(1)
    return 429, 120


async def main():
    many = await calls(new(100), 12)
    assert many == [0, 0, 0, 0, 15, 30, 45, 60, 75, 90, 105, 120], many
    # Each wait has a random time in addition, of 0.1 s at most.
    pace, start, added = new(1), now(), 0
    for number in range(20):
        await pace.ready()
        late = now() - start - 15 * max(0, number - 3)
        assert -0.001 < late < 0.101, late
        added += late
    assert added > 0

    # The last half second of a wait and of a pause counts, too.
    pace, start = new(8), now()
    await calls(pace, 4)
    await asyncio.sleep(14.5)
    await pace.ready()
    assert now() - start >= 15
    pace, start = new(8), now()
    pace.pause(0.5)
    await pace.ready()
    assert now() - start >= 0.5

    assert await calls(new(100, burst=1), 4) == [0, 15, 30, 45]

    # Four begin, eight wait, and there is no place for the rest.
    full = await calls(new(8), 20)
    assert full[:12] == [0, 0, 0, 0, 15, 30, 45, 60, 75, 90, 105, 120], full
    assert full[12:] == [None] * 8

    pace = new(8)
    await calls(pace, 4)
    start = now()
    cancelled = asyncio.wait_for(pace.ready(), 10)
    results = await asyncio.gather(
        cancelled, call(pace, start), return_exceptions=True
    )
    assert isinstance(results[0], TimeoutError) and results[1] == 15, results
    assert pace.inside == 0

    await asyncio.sleep(3600)
    assert (await calls(pace, 8)).count(0) == 4

    pace = new(8)
    await calls(pace, 3)
    start = now()
    waiting = asyncio.create_task(call(pace, start))
    # ANCHOR: call
    await pace.ready()
    status, retry_after = await track()
    if status == 429:
        pace.pause(retry_after)
    # ANCHOR_END: call
    pace.pause(1)
    assert await waiting == 121

    start = now()
    pace.pause(float("inf"))
    assert await call(pace, start) == 3600


# ANCHOR: changes
async def a_limiter_that_reads_another_clock():
    """time.monotonic does not jump with a loop whose clock does."""
    before = time.monotonic()
    start = asyncio.get_running_loop().time()
    await asyncio.sleep(86_400)
    assert asyncio.get_running_loop().time() - start == 86_400
    assert time.monotonic() - before < 86_400
# ANCHOR_END: changes


for case in (main, a_limiter_that_reads_another_clock):
    clock = Clock()
    loop = asyncio.SelectorEventLoop(clock)
    loop.time = lambda clock=clock: clock.now
    with asyncio.Runner(loop_factory=lambda loop=loop: loop) as runner:
        runner.run(case())
