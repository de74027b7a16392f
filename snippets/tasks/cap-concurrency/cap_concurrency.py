# ANCHOR: keep
import asyncio


class Busy(Exception):
    """There is no room, so the work was not started."""


class Limit:
    """A limit that many callers share: how many run at the same time, how many
    more may wait, and for how long."""

    # ANCHOR: new
    def __init__(self, limit, queue, wait):
        if limit < 1:
            raise ValueError(f"a limit of {limit}")
        self.places = limit + queue
        self.permits = asyncio.Semaphore(limit)
        self.wait = wait
    # ANCHOR_END: new

    async def run(self, work):
        """Waits for a permit, and runs the work. The caller must not be
        running in the same limit."""
        # ANCHOR: place
        if self.places == 0:
            raise Busy
        self.places -= 1
        # ANCHOR_END: place
        try:
            # ANCHOR: wait
            try:
                async with asyncio.timeout(self.wait):
                    await self.permits.acquire()
            except TimeoutError:
                raise Busy from None
            # ANCHOR_END: wait
            # ANCHOR: work
            try:
                return await work()
            finally:
                self.permits.release()
            # ANCHOR_END: work
        finally:
            self.places += 1
# ANCHOR_END: keep


# Requests to a carrier, and what must come of them.
import selectors


class Clock(selectors.DefaultSelector):
    """Jumps to the next timer, as tokio's paused clock does."""

    now = 0

    def select(self, timeout=None):
        self.now += timeout or 0
        return super().select(0)


class Carrier:
    def __init__(self):
        self.pending = self.peak = 0
        self.parcels = []

    async def track(self, parcel):
        self.pending += 1
        self.peak = max(self.peak, self.pending)
        self.parcels.append(parcel)
        try:
            await asyncio.sleep(1 if parcel != 99 else 60)
            if parcel == 404:
                raise LookupError("404 Not Found")
            return "in transit"
        finally:
            self.pending -= 1


async def main():
    carrier, answers = Carrier(), []
    # ANCHOR: call
    # Once, with a number from the settings: "0" is an error.
    limit = Limit(int("3"), 15, 5)

    # In each caller:
    try:
        result = await limit.run(lambda: carrier.track(7))
        answers.append(f"parcel 7 is {result}")
    except Busy:
        answers.append("503 Service Unavailable")
    # ANCHOR_END: call
    assert answers == ["parcel 7 is in transit"]

    for number in [0, -1]:
        try:
            Limit(number, 100, 5)
            raise AssertionError("it is refused")
        except ValueError as error:
            assert str(error) == f"a limit of {number}"

    now = asyncio.get_running_loop().time
    for parcels, queue, wait, done, peak, seconds in [
        (range(12), 100, 5, 12, 3, 4),
        (range(12), 4, 5, 7, 3, 3),
        (range(12), 0, 5, 3, 3, 1),
        (range(12), 100, 2, 9, 3, 3),
        ([404] * 12, 100, 5, 12, 3, 4),
        ([99] * 12, 100, 5, 3, 3, 60),
    ]:
        start, carrier = now(), Carrier()
        limit = Limit(3, queue, wait + 0.5)
        calls = [limit.run(lambda n=n: carrier.track(n)) for n in parcels]
        ends = await asyncio.gather(*calls, return_exceptions=True)
        busy = [end for end in ends if isinstance(end, Busy)]
        assert len(ends) - len(busy) == done
        errors = [end for end in ends if isinstance(end, LookupError)]
        assert len(errors) == (done if parcels[0] == 404 else 0)
        assert carrier.parcels == sorted(carrier.parcels)
        assert (carrier.peak, now() - start) == (peak, seconds)
        assert (limit.places, limit.permits._value) == (3 + queue, 3)

    # The callers are cancelled: three run, and nine wait.
    carrier = Carrier()
    try:
        async with asyncio.timeout(0.5):
            calls = [limit.run(lambda: carrier.track(7)) for _ in range(12)]
            await asyncio.gather(*calls)
    except TimeoutError:
        assert (carrier.peak, carrier.pending) == (3, 0)
        assert (limit.places, limit.permits._value) == (103, 3)


clock = Clock()
loop = asyncio.SelectorEventLoop(clock)
loop.time = lambda: clock.now
with asyncio.Runner(loop_factory=lambda: loop) as runner:
    runner.run(main())
