import asyncio
import collections
import selectors

Pass = collections.namedtuple("Pass", "number over")


def time():
    return asyncio.get_running_loop().time()


# ANCHOR: locked
class Locked:
    def __init__(self, stamp):
        self.stamp, self.pass_, self.lock = stamp, Pass(0, 0), asyncio.Lock()

    async def get(self):
        async with self.lock:
            if self.pass_.over < time() + 300:
                self.pass_ = await self.stamp()
        return self.pass_
# ANCHOR_END: locked


# ANCHOR: task
class OnDemand:
    def __init__(self, stamp):
        self.stamp, self.pass_, self.next = stamp, Pass(0, 0), None

    async def get(self):
        left = self.pass_.over - time()
        if left < 300 and self.next is None:
            self.next = asyncio.create_task(self.fetch())
        if left < 30:
            # Without the shield, one who leaves would cancel it for all.
            await asyncio.shield(self.next)
        return self.pass_

    async def fetch(self):
        try:
            self.pass_ = await self.stamp()
        finally:
            self.next = None
# ANCHOR_END: task


class Clock(selectors.DefaultSelector):
    """Jumps to the next timer, as tokio's paused clock does."""

    now = 0

    def select(self, timeout=None):
        self.now += timeout or 0
        return super().select(0)


async def waits(design):
    stamped = 0

    async def stamp():
        nonlocal stamped
        asked = time()
        await asyncio.sleep(10)
        stamped += 1
        return Pass(stamped, asked + 3600)

    passes = design(stamp)
    assert (await passes.get()).number == 1
    await asyncio.sleep(3300)
    start = time()
    vans = await asyncio.gather(*(passes.get() for _ in range(1000)))
    waited, number = time() - start, vans[999].number
    await asyncio.sleep(10)
    assert (await passes.get()).number == stamped == 2

    # After a quiet night, the one who asks first leaves.
    await asyncio.sleep(36_000)
    first = asyncio.create_task(passes.get())
    second = asyncio.create_task(passes.get())
    await asyncio.sleep(7)
    first.cancel()
    start = time()
    await second
    assert first.cancelled()
    return waited, number, time() - start, stamped


for design, expected in [
    (Locked, (10, 2, 10, 3)),
    (OnDemand, (0, 1, 3, 3)),
]:
    clock = Clock()
    loop = asyncio.SelectorEventLoop(clock)
    loop.time = lambda: clock.now
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        assert runner.run(waits(design)) == expected
