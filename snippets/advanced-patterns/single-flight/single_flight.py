# ANCHOR: keep
import asyncio
import math


# ANCHOR: age
def age(flight):
    """The age of a value: zero while it is pending, none if it has failed."""
    if not flight.done():
        return 0
    if flight.cancelled() or flight.exception():
        return None
    _, completed = flight.result()
    return asyncio.get_running_loop().time() - completed
# ANCHOR_END: age


class SingleFlight:
    # ANCHOR: flights
    def __init__(self, timeout, time_to_live, capacity):
        self.flights = {}
        self.timeout = timeout
        self.time_to_live = time_to_live
        self.capacity = capacity
    # ANCHOR_END: flights

    async def get(self, key, request):
        """A fresh value from the dict, or from one request for all callers."""
        flight = self.flights.get(key)
        # ANCHOR: reuse
        known = age(flight) if flight else None
        if known is None or known > self.time_to_live:
            # ANCHOR_END: reuse
            # ANCHOR: evict
            if len(self.flights) >= self.capacity:
                del self.flights[max(self.flights, key=self.rank)]
            # ANCHOR_END: evict
            # ANCHOR: start
            flight = asyncio.create_task(self.run(request))
            self.flights[key] = flight
            # ANCHOR_END: start
        # ANCHOR: shared
        # Without the shield, a cancelled caller would cancel it for all.
        value, _ = await asyncio.shield(flight)
        return value
        # ANCHOR_END: shared

    def rank(self, key):
        known = age(self.flights[key])
        return math.inf if known is None else known

    async def run(self, request):
        async with asyncio.timeout(self.timeout):
            value = await request()
        return value, asyncio.get_running_loop().time()
# ANCHOR_END: keep


# A carrier that is asked for quotes, and what must come of it.
import gc


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


class Carrier:
    def __init__(self):
        self.requests = self.completed = 0

    async def quote(self, case, time=1):
        self.requests += 1
        await asyncio.sleep(time)
        self.completed += 1
        if case == "failing":
            raise ConnectionError("503 Service Unavailable")
        if case == "cancelling":
            raise asyncio.CancelledError
        return 1250

    def take(self):
        requests, self.requests = self.requests, 0
        return requests


async def give_up(quotes, carrier, case):
    try:
        async with asyncio.timeout(0.1):
            await quotes.get(case, lambda: carrier.quote(case))
        raise AssertionError("too fast")
    except TimeoutError:
        pass


async def main():
    carrier = Carrier()
    # ANCHOR: call
    quotes = SingleFlight(timeout=5, time_to_live=60, capacity=100)
    price = await quotes.get("parcel 7", lambda: carrier.quote("parcel 7"))
    # ANCHOR_END: call
    assert (price, carrier.take()) == (1250, 1)

    def get(case, time=1, quotes=quotes):
        return quotes.get(case, lambda: carrier.quote(case, time))

    results = await asyncio.gather(*[get("at once") for _ in range(10_000)])
    assert (results, carrier.take()) == ([1250] * 10_000, 1)

    # The age counts from the completion.
    await asyncio.sleep(60)
    assert (await get("at once"), carrier.take()) == (1250, 0)
    await asyncio.sleep(0.1)
    assert (await get("at once"), carrier.take()) == (1250, 1)

    # A pending request is never stale.
    for time_to_live in [0.1, 0]:
        slow = SingleFlight(5, time_to_live, 100)
        callers = []
        for _ in range(10):
            caller = get("slow", 4, slow)
            callers.append(asyncio.create_task(caller))
            await asyncio.sleep(0.2)
        assert await asyncio.gather(*callers) == [1250] * 10
        assert carrier.take() == 1

    # A failure is shared, and not kept.
    now = asyncio.get_running_loop().time
    for case, time, error in [
        ("failing", 1, ConnectionError),
        ("cancelling", 1, asyncio.CancelledError),
        ("silent", 3600, TimeoutError),
    ]:
        start = now()
        callers = [get(case, time) for _ in range(20)]
        results = await asyncio.gather(*callers, return_exceptions=True)
        assert all(isinstance(result, error) for result in results)
        assert carrier.take() == 1 and now() - start == min(time, 5)
        try:
            await get(case, time)
            raise AssertionError("it fails")
        except error:
            assert carrier.take() == 1

    # Callers that give up.
    second = asyncio.create_task(get("given up"))
    await give_up(quotes, carrier, "given up")
    assert (await second, carrier.take()) == (1250, 1)
    await give_up(quotes, carrier, "all gave up")
    await asyncio.sleep(60)
    assert (await get("all gave up"), carrier.take()) == (1250, 1)
    await give_up(quotes, carrier, "old")
    await asyncio.sleep(62)
    assert (await get("old"), carrier.take()) == (1250, 2)

    # A bound: failures go first, then the oldest, and a pending one last.
    full = SingleFlight(5, 60, 3)
    await get("1", 1, full)
    try:
        await get("failing", 1, full)
        raise AssertionError("it fails")
    except ConnectionError:
        pass
    for case in ["2", "3"]:
        await get(case, 1, full)
    assert carrier.take() == 4
    for case in ["1", "2", "3"]:
        await get(case, 1, full)
    assert carrier.take() == 0
    await give_up(full, carrier, "pending")
    await get("4", 0.5, full)
    assert carrier.take() == 2
    for case in ["3", "4", "pending"]:
        await get(case, 1, full)
    assert (carrier.take(), len(full.flights)) == (0, 3)

    # A request that was removed goes on: its timer refers to its task.
    full, carrier.completed = SingleFlight(5, 60, 1), 0
    for case in ["1", "2"]:
        await give_up(full, carrier, case)
    gc.collect()
    await asyncio.sleep(1)
    assert (carrier.take(), carrier.completed) == (2, 2)

    # If nothing refers to its task, it does not: the loop's reference is weak.
    async def forgotten():
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            carrier.completed += 1

    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    full = SingleFlight(None, 60, 1)
    for case in ["1", "2"]:
        caller = asyncio.create_task(full.get(case, forgotten))
        await asyncio.sleep(0.1)
        caller.cancel()
        await asyncio.wait([caller])
    del caller
    gc.collect()
    assert carrier.completed == 3

    # ANCHOR: shield
    flight = asyncio.create_task(carrier.quote("no shield"))
    caller = asyncio.create_task(asyncio.wait_for(flight, 60))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.wait([caller])
    assert flight.cancelled()
    # ANCHOR_END: shield


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=PausedLoop) as runner:
        runner.run(main())
