# ANCHOR: all
import asyncio


class Door:
    # ANCHOR: quota
    def __init__(self, burst, every):
        self.burst, self.every = burst, every
        self.level = self.seen = 0.0
    # ANCHOR_END: quota

    # ANCHOR: enter
    def wait_time(self):
        now = asyncio.get_running_loop().time()
        drained = (now - self.seen) / self.every
        self.level, self.seen = max(0.0, self.level - drained), now
        return (self.level + 1 - self.burst) * self.every

    async def enter(self):
        while (wait := self.wait_time()) > 0:
            await asyncio.sleep(wait)
        self.level += 1
    # ANCHOR_END: enter


async def visit(door, entered):
    await door.enter()
    entered.append(asyncio.get_running_loop().time())


async def main():
    door, entered = Door(burst=4, every=15), []
    # ANCHOR: visits
    await asyncio.gather(*(visit(door, entered) for _ in range(12)))
    assert entered == [0, 0, 0, 0, 15, 30, 45, 60, 75, 90, 105, 120]
    # ANCHOR_END: visits
# ANCHOR_END: all

import selectors  # noqa: E402


class Clock(selectors.DefaultSelector):
    """Jumps to the next timer, as tokio's paused clock does."""

    now = 0.0

    def select(self, timeout=None):
        self.now += timeout or 0
        return super().select(0)


clock = Clock()
loop = asyncio.SelectorEventLoop(clock)
loop.time = lambda: clock.now
with asyncio.Runner(loop_factory=lambda: loop) as runner:
    runner.run(main())
