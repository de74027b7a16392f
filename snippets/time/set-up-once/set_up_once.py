# ANCHOR: keep
import asyncio


class Lazy:
    # ANCHOR: new
    def __init__(self, timeout, pause):
        self.timeout, self.pause = timeout, pause  # after a failed attempt
        self.task, self.retry_at = None, 0
    # ANCHOR_END: new

    # ANCHOR: get
    async def get(self, init):
        """The value. If there is none, `init` makes it, in a task."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self.retry_at:
            self.retry_at = float("inf")
            self.task = asyncio.create_task(self.attempt(init))
        return await asyncio.shield(self.task)
    # ANCHOR_END: get

    # ANCHOR: attempt
    async def attempt(self, init):
        try:
            async with asyncio.timeout(self.timeout):
                return await init()
        except BaseException:
            loop = asyncio.get_running_loop()
            self.retry_at = loop.time() + self.pause
            raise
    # ANCHOR_END: attempt
# ANCHOR_END: keep


# A session with a carrier, and what must come of it.
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


attempts = 0


async def sign_in(case="works"):
    """Signs in at the carrier, in ten seconds."""
    global attempts
    attempts += 1
    number = attempts
    await asyncio.sleep(3600 if case == "silent" else 10)
    if case == "fails":
        raise OSError("503 Service Unavailable")
    if case == "cancelled":
        raise asyncio.CancelledError
    return number


async def main():
    global attempts
    now = asyncio.get_running_loop().time

    # ANCHOR: call
    lazy = Lazy(timeout=30, pause=60)
    session = await lazy.get(sign_in)
    # ANCHOR_END: call
    assert session == 1

    # At once, and later.
    lazy, attempts, begun = Lazy(30, 60), 0, now()
    callers = [lazy.get(sign_in) for _ in range(1000)]
    assert await asyncio.gather(*callers) == [1] * 1000
    assert (attempts, now() - begun) == (1, 10)

    # It fails: the callers share the error, for a minute.
    for case, error, seconds in [
        ("fails", OSError, 10),
        ("cancelled", asyncio.CancelledError, 10),
        ("silent", TimeoutError, 30),
    ]:
        lazy, attempts, begun = Lazy(30, 60), 0, now()
        callers = [lazy.get(lambda case=case: sign_in(case)) for _ in range(20)]
        ends = await asyncio.gather(*callers, return_exceptions=True)
        assert [type(end) for end in ends] == [error] * 20
        assert (attempts, now() - begun) == (1, seconds)
        await asyncio.sleep(59)
        ends = await asyncio.gather(lazy.get(sign_in), return_exceptions=True)
        assert [type(end) for end in ends] == [error] and attempts == 1
        await asyncio.sleep(1)
        callers = [lazy.get(sign_in) for _ in range(2)]
        assert await asyncio.gather(*callers) == [2, 2]

    # The first caller leaves.
    lazy, attempts = Lazy(30, 60), 0
    try:
        await asyncio.wait_for(lazy.get(sign_in), 6)
        raise AssertionError("it takes ten seconds")
    except TimeoutError:
        assert await lazy.get(sign_in) == 1 and attempts == 1


with asyncio.Runner(loop_factory=PausedLoop) as runner:
    runner.run(main())
