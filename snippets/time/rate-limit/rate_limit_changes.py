import asyncio
import selectors
import time


class Clock(selectors.DefaultSelector):
    """Jumps to the next timer, as tokio's paused clock does."""

    now = 0.0

    def select(self, timeout=None):
        self.now += timeout or 0
        return super().select(0)


# ANCHOR: changes
async def a_sleep_in_each_is_no_rate():
    now, begun = asyncio.get_running_loop().time, []

    async def visit():
        await asyncio.sleep(15)
        begun.append(now())

    await asyncio.gather(*(visit() for _ in range(12)))
    assert begun == [15] * 12


async def a_limiter_that_reads_another_clock():
    last = time.monotonic()

    def may_enter():
        return time.monotonic() - last >= 15

    # This loop's clock jumps, and time.monotonic stands.
    start = asyncio.get_running_loop().time()
    await asyncio.sleep(86_400)
    assert asyncio.get_running_loop().time() - start == 86_400
    assert not may_enter()
# ANCHOR_END: changes


for case in (a_sleep_in_each_is_no_rate, a_limiter_that_reads_another_clock):
    clock = Clock()
    loop = asyncio.SelectorEventLoop(clock)
    loop.time = lambda: clock.now
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(case())
