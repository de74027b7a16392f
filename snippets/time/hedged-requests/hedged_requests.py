# ANCHOR: keep
import asyncio
from collections import deque


async def select_ok(tasks):
    """The first result, or the last error."""
    for end in asyncio.as_completed(tasks):
        try:
            return await end
        except Exception as error:
            last = error
    raise last


class Hedge:
    # ANCHOR: settings
    def __init__(self, percentile, samples, cost):
        self.percentile, self.samples = percentile, samples
        self.cost, self.budget = cost, 0
        self.times = deque(maxlen=samples)
    # ANCHOR_END: settings

    # ANCHOR: hedge
    async def call(self, deadline, request):
        """Sends a request, and the same again if no response comes in time."""
        now = asyncio.get_running_loop().time
        start, delay = now(), self.delay()
        self.deposit()
        tasks = [asyncio.create_task(request())]
        try:
            async with asyncio.timeout_at(deadline) as limit:
                await asyncio.wait(tasks, timeout=delay)
                if not tasks[0].done() and self.withdraw():
                    tasks.append(asyncio.create_task(request()))
                result = await select_ok(tasks)
            self.record(now() - start)
            return result
        except TimeoutError:
            time = now() - start
            if limit.expired() and delay is not None and time >= delay:
                self.record(time)  # it was slow
            raise  # if it was cut earlier, it may be a quick one
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    # ANCHOR_END: hedge

    # ANCHOR: delay
    def delay(self):
        """The percentile of the last calls, or None if there are too few."""
        if len(self.times) < self.samples:
            return None
        times = sorted(self.times)
        index = int(self.percentile * len(times))
        return times[index] if index < len(times) else None

    def record(self, time):
        self.times.append(time)
    # ANCHOR_END: delay

    # ANCHOR: budget
    def deposit(self):
        self.budget = min(self.budget + 1, 10 * self.cost)

    def withdraw(self):
        is_enough = self.budget >= self.cost
        if is_enough:
            self.budget -= self.cost
        return is_enough
    # ANCHOR_END: budget
# ANCHOR_END: keep


# A carrier that is sometimes slow, and what must come of it.
import random

SILENCE = 3600


class PausedLoop(asyncio.SelectorEventLoop):
    """Its clock jumps to the next timer when nothing else can run."""

    paused_at = 0.0

    def time(self):
        return self.paused_at

    def _run_once(self):
        if not self._ready and self._scheduled:
            self.paused_at = max(self.paused_at, self._scheduled[0].when())
        super()._run_once()


class Down(Exception):
    pass


class Carrier:
    """A reply is a time in seconds, and perhaps an error."""

    def __init__(self):
        self.requests, self.pending = 0, 0

    async def track(self, replies):
        number = self.requests
        self.requests += 1
        self.pending += 1
        try:
            time, *error = replies[number]
            await asyncio.sleep(time)
            if error:
                raise error[0]
            return number
        finally:
            self.pending -= 1


async def measured(carrier):
    """Has measured 200 calls: 1 ms, 2 ms and so on to 100 ms, twice."""
    hedge, now = Hedge(0.95, 200, 20), asyncio.get_running_loop().time
    for number in range(200):
        carrier.requests, reply = 0, ((1 + number * 7 % 100) / 1000,)
        await hedge.call(now() + 1, lambda: carrier.track([reply]))
        assert carrier.requests == 1
    return hedge


async def outcome(hedge, carrier, replies, limit=5):
    now = asyncio.get_running_loop().time
    start, carrier.requests = now(), 0
    try:
        result = await hedge.call(start + limit, lambda: carrier.track(replies))
    except (Down, TimeoutError) as error:
        result = type(error)
    assert carrier.pending == 0 and len(asyncio.all_tasks()) == 1
    return result, round(now() - start, 3), carrier.requests


async def percentiles(hedge):
    """3,000 calls: most take some milliseconds, 3 % take a second."""
    carrier, times, requests = Carrier(), [], 0
    for _ in range(3_000):
        replies = [
            (1 if random.random() < 0.03 else random.uniform(0.01, 0.03),)
            for _ in range(2)
        ]
        result, time, sent = await outcome(hedge, carrier, replies)
        assert result in (0, 1)
        times.append(time)
        requests += sent
    times.sort()
    return times[2970], requests


async def main():
    random.seed(7)
    carrier = Carrier()
    hedge = await measured(carrier)
    carrier.requests, replies = 0, [(SILENCE,), (0.02,)]
    start = asyncio.get_running_loop().time()
    # ANCHOR: call
    deadline = asyncio.get_running_loop().time() + 5
    request = await hedge.call(deadline, lambda: carrier.track(replies))
    # ANCHOR_END: call
    assert request == 1
    assert round(asyncio.get_running_loop().time() - start, 3) == 0.116

    down, late = Down(), TimeoutError()
    for replies, expected in [
        ([(0.09,)], (0, 0.09, 1)),
        ([(0.11,), (SILENCE,)], (0, 0.11, 2)),
        ([(0.9,), (0.901,)], (0, 0.9, 2)),
        ([(0.005, down)], (Down, 0.005, 1)),
        ([(0.1, down), (0.02,)], (1, 0.116, 2)),
        ([(0.3,), (0.005, down)], (0, 0.3, 2)),
        ([(0.2, down), (0.01, late)], (Down, 0.2, 2)),
        ([(SILENCE,), (SILENCE,)], (TimeoutError, 5, 2)),
    ]:
        hedge = await measured(carrier)
        found = await outcome(hedge, carrier, replies)
        assert found == expected, (replies, found)

    # Too few calls are measured, or the budget is empty.
    found = await outcome(Hedge(0.95, 200, 20), carrier, [(0.9,), (0.1,)])
    assert found == (0, 0.9, 1)
    found = await outcome(Hedge(0.95, 200, 20), carrier, [(SILENCE,)])
    assert found == (TimeoutError, 5, 1)
    hedge, hedged = await measured(carrier), 0
    for _ in range(100):
        fails = [(0.2, down), (0.2, down)]
        hedged += (await outcome(hedge, carrier, fails))[2] - 1
    assert hedged == 14

    # A second request for twenty calls.
    hedge = Hedge(0.95, 200, 20)
    for _ in range(19):
        hedge.deposit()
    assert not hedge.withdraw()
    hedge.deposit()
    assert hedge.withdraw()

    # The caller gives up.
    hedge, carrier.requests = await measured(carrier), 0
    try:
        async with asyncio.timeout(1):
            await hedge.call(1e9, lambda: carrier.track([(9,), (9,)]))
        raise AssertionError("it has ended")
    except TimeoutError:
        assert (carrier.requests, carrier.pending) == (2, 0)

    # What is measured: the calls that succeed, or are cut after the delay.
    hedge = await measured(carrier)
    assert round(hedge.delay(), 3) == 0.096
    for _ in range(300):
        await outcome(hedge, carrier, [(0.001, down)])
        await outcome(hedge, carrier, [(0.001, late)])
        await outcome(hedge, carrier, [(0.2, late), (0.2, late)])
    assert round(hedge.delay(), 3) == 0.096
    for _ in range(300):
        await outcome(hedge, carrier, [(SILENCE,)], limit=0.095)
    assert round(hedge.delay(), 3) == 0.096
    assert round(hedge.times[-1], 3) == 0.094
    for _ in range(20):
        await outcome(hedge, carrier, [(SILENCE,), (SILENCE,)])
    assert round(hedge.delay(), 3) == 5
    for _ in range(200):
        await outcome(hedge, carrier, [(0.01,)])
    assert round(hedge.delay(), 3) == 0.01
    hedge.percentile = 1
    assert hedge.delay() is None

    p99, requests = await percentiles(Hedge(1, 200, 20))
    assert (p99, requests) == (1, 3_000)
    p99, requests = await percentiles(Hedge(0.95, 200, 20))
    assert p99 < 0.1 and requests <= 3_150


with asyncio.Runner(loop_factory=PausedLoop) as runner:
    runner.run(main())
