# ANCHOR: keep
import asyncio
import functools
import inspect


def memoise(timeout, capacity, time_to_live):
    """Keeps the values of an async function."""
    # ANCHOR: memo
    def decorate(function):
        signature, known = inspect.signature(function), {}
    # ANCHOR_END: memo

        def now():
            return asyncio.get_running_loop().time()

        async def call(*args, **kwargs):
            async with asyncio.timeout(timeout):
                value = await function(*args, **kwargs)
            return now(), value

        @functools.wraps(function)
        async def wrapper(*args, **kwargs):
            # ANCHOR: key
            # One key for a call, in whichever way it is written.
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            key = bound.args, tuple(sorted(bound.kwargs.items()))
            # ANCHOR_END: key
            flight = known.get(key)
            # A pending call is never too old: its age counts from its end.
            if flight is None or flight.done() and (
                flight.cancelled()
                or flight.exception()
                # ANCHOR: time_to_live
                or now() - flight.result()[0] >= time_to_live
                # ANCHOR_END: time_to_live
            ):
                # ANCHOR: call_once
                flight = asyncio.create_task(call(*args, **kwargs))
                # ANCHOR_END: call_once
            known.pop(key, None)
            known[key] = flight  # the most recently used is the last
            # ANCHOR: capacity
            if len(known) > capacity:
                del known[next(iter(known))]
            # ANCHOR_END: capacity
            # ANCHOR: get
            # Without the shield, a cancelled caller would cancel it for all.
            _, value = await asyncio.shield(flight)
            return value
            # ANCHOR_END: get

        wrapper.known = known
        return wrapper

    return decorate
# ANCHOR_END: keep

import gc
import weakref


# A carrier that is asked for the prices of chilled parcels.
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
        self.requests = 0

    async def quote(self, degrees, weight):
        self.requests += 1
        await asyncio.sleep(0.01)
        if weight == 9:
            await asyncio.sleep(200)
        if weight == 13:
            raise asyncio.CancelledError
        if weight > 40:
            raise ValueError(f"{weight} kg are too heavy")
        return 500 + 90 * weight + 25 * abs(degrees)

    def take(self):
        requests, self.requests = self.requests, 0
        return requests


async def main():
    carrier = Carrier()
    # ANCHOR: call
    quote = memoise(timeout=5, capacity=100, time_to_live=60)(carrier.quote)
    price = await quote(-18, 5)
    # ANCHOR_END: call
    assert (price, carrier.take()) == (1400, 1)

    callers = [quote(4, 5) for _ in range(1_000)]
    assert await asyncio.gather(*callers) == [1050] * 1_000
    assert carrier.take() == 1
    assert await quote(degrees=4, weight=5) == await quote(4, weight=5) == 1050
    assert carrier.take() == 0
    assert await quote(degrees=6, weight=5) == await quote(6, 5) == 1100
    assert carrier.take() == 1

    # Each call has a key of its own, and each function a dict.
    assert await quote(-1, 5) == 975
    assert await quote(-2, 5) == 1000

    async def days(degrees, weight=5):
        return 3

    days.__name__ = "quote"
    days = memoise(5, 100, 60)(days)
    assert await days(-1) == await days(-1, 5) == 3
    assert (carrier.take(), len(days.known)) == (2, 1)
    for function in (quote, memoise(5, 100, 60)(carrier.quote)):
        try:
            await function([4], 5)
            raise AssertionError("a list has no hash")
        except TypeError as error:
            assert "unhashable" in str(error)
    await asyncio.sleep(0)
    assert carrier.take() == 0, "no call was made"

    # The age counts from the completion.
    assert await quote(5, 5) == 1075
    await asyncio.sleep(59.9)
    assert await quote(5, 5) == 1075
    assert carrier.take() == 1
    await asyncio.sleep(0.1)
    assert await quote(5, 5) == 1075
    assert carrier.take() == 1
    slow, callers = memoise(300, 100, 60)(carrier.quote), []
    for _ in range(3):
        callers.append(asyncio.create_task(slow(4, 9)))
        await asyncio.sleep(61)
    assert await asyncio.gather(*callers) == [1410] * 3
    assert (await slow(4, 9), carrier.take()) == (1410, 1)

    # A failure is shared, and not kept.
    failures = {41: ValueError, 13: asyncio.CancelledError, 9: TimeoutError}
    for weight, error in failures.items():
        callers = [quote(4, weight) for _ in range(20)]
        results = await asyncio.gather(*callers, return_exceptions=True)
        assert all(isinstance(result, error) for result in results)
        assert carrier.take() == 1
        try:
            await quote(4, weight)
            raise AssertionError("it fails")
        except error:
            assert carrier.take() == 1

    # Callers that give up.
    for callers in (1, 2):
        tasks = [asyncio.create_task(quote(4, 6)) for _ in range(callers)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        await asyncio.wait(tasks)
        assert tasks[0].cancelled()
        await asyncio.sleep(0.01)
        assert (await quote(4, 6), carrier.take()) == (1140, 1)
        quote.known.clear()

    # A call that is removed while no caller waits goes on.
    answers = weakref.WeakSet()

    @memoise(5, 1, 60)
    async def answer(parcel):
        if parcel == 1:
            pending = asyncio.get_running_loop().create_future()
            answers.add(pending)
            return await pending

    caller = asyncio.create_task(answer(1))
    await asyncio.sleep(1)
    caller.cancel()
    await asyncio.wait([caller])
    await answer(2)
    del caller
    gc.collect()
    [pending] = answers  # the timer of its timeout refers to the task
    pending.set_result(1)

    # A bound: the least recently used goes first.
    for degrees in range(100):
        await quote(degrees, 1)
    await quote(0, 1)
    await quote(100, 1)
    assert (carrier.take(), len(quote.known)) == (101, 100)
    await quote(0, 1)
    assert carrier.take() == 0
    await quote(1, 1)
    assert carrier.take() == 1


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=PausedLoop) as runner:
        runner.run(main())
