import selectors

# ANCHOR: passes
import asyncio
from collections import namedtuple

Pass = namedtuple("Pass", "number renew over")


def time():
    return asyncio.get_running_loop().time()


class Passes:
    def __init__(self, office, first):
        self.current, self.failed = first, None
        self.changed = asyncio.Condition()
        # The loop does not hold on to a task: keep it.
        self.clerk = asyncio.create_task(self.fetch(office))

    # ANCHOR: get
    def is_good(self):
        return self.current.over > time()

    async def get(self):
        async with self.changed:
            await self.changed.wait_for(lambda: self.is_good() or self.failed)
        if not self.is_good():
            raise ConnectionError("no pass") from self.failed
        return self.current
    # ANCHOR_END: get

    async def fetch(self, office):
        pause = 10
        while True:
            # ANCHOR: due
            await asyncio.sleep(self.current.renew - time())
            # ANCHOR_END: due
            try:
                # ANCHOR: stamped
                self.current, self.failed = await office.stamp(), None
                pause = 10
                # ANCHOR_END: stamped
            except ConnectionError as error:
                self.failed = error
            async with self.changed:
                self.changed.notify_all()
            # ANCHOR: failed
            if self.failed:
                await asyncio.sleep(pause)
                pause = min(2 * pause, 60)
            # ANCHOR_END: failed


class Office:
    def __init__(self, closed=range(0)):
        self.closed, self.asked, self.life = closed, [], 60 * 60

    # ANCHOR: stamp
    async def stamp(self):
        asked = round(time())
        self.asked.append(asked)
        await asyncio.sleep(10)
        if asked in self.closed:
            raise ConnectionError("the office is closed")
        good = max(self.life - 30, 0)
        over, ahead = asked + good, min(5 * 60, good / 2)
        if over <= time():
            raise ConnectionError("over before it is here")
        return Pass(len(self.asked), over - ahead, over)
    # ANCHOR_END: stamp
# ANCHOR_END: passes


class Clock(selectors.DefaultSelector):
    """Jumps to the next timer, as tokio's paused clock does."""

    now = 0

    def select(self, timeout=None):
        self.now += timeout or 0
        return super().select(0)


async def van(passes):
    for _ in range(180):
        came = time()
        given = await passes.get()
        assert time() == came < given.over
        await asyncio.sleep(60)


async def three_hours():
    office = Office()
    passes = Passes(office, await office.stamp())
    await asyncio.gather(*(van(passes) for _ in range(10)))
    passes.clerk.cancel()
    assert office.asked == [0, 3270, 6540, 9810]


async def closed():
    office = Office(range(3000, 4200))
    passes = Passes(office, await office.stamp())
    for second, good in [(3569, 1000), (3570, 0), (4300, 1000)]:
        await asyncio.sleep(second - time())
        vans = [passes.get() for _ in range(1000)]
        got = await asyncio.gather(*vans, return_exceptions=True)
        assert time() == second
        assert sum(isinstance(end, Pass) for end in got) == good
    passes.clerk.cancel()
    assert len(office.asked) == 17


async def too_short():
    office = Office()
    passes = Passes(office, await office.stamp())
    office.life = 10
    await asyncio.sleep(3600 - time())
    passes.clerk.cancel()
    # Over when it comes: it is asked for again after a pause.
    assert office.asked == [0, 3270, 3290, 3320, 3370, 3440, 3510, 3580]


for run in (three_hours, closed, too_short):
    clock = Clock()
    loop = asyncio.SelectorEventLoop(clock)
    loop.time = lambda: clock.now
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(run())
