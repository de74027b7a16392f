# ANCHOR: memoise
import asyncio
import functools
import inspect
import time


def memoise(capacity, time_to_live):
    # ANCHOR: known
    def decorate(function):
        signature, known = inspect.signature(function), {}
    # ANCHOR_END: known

        async def compute(*args, **kwargs):
            value = await function(*args, **kwargs)
            return time.monotonic(), value

        @functools.wraps(function)
        async def wrapper(*args, **kwargs):
            # ANCHOR: key
            # One key for a call, whichever way it is written.
            call = signature.bind(*args, **kwargs)
            call.apply_defaults()
            key = call.args, tuple(sorted(call.kwargs.items()))
            # ANCHOR_END: key
            flight = known.pop(key, None)
            # A pending call is never too old: the age counts from its end.
            if flight is None or flight.done() and (
                flight.cancelled()
                or flight.exception()
                # ANCHOR: time_to_live
                or time.monotonic() - flight.result()[0] > time_to_live
                # ANCHOR_END: time_to_live
            ):
                # ANCHOR: compute
                flight = asyncio.create_task(compute(*args, **kwargs))
                # ANCHOR_END: compute
            known[key] = flight  # the newest is the last
            # ANCHOR: capacity
            if len(known) > capacity:
                del known[next(iter(known))]
            # ANCHOR_END: capacity
            # ANCHOR: get
            _, value = await asyncio.shield(flight)
            return value
            # ANCHOR_END: get

        wrapper.known = known
        return wrapper

    return decorate
# ANCHOR_END: memoise


async def main():
    quotes = 0

    # ANCHOR: use
    @memoise(capacity=100, time_to_live=60)
    async def quote(floor, weight):
        nonlocal quotes
        quotes += 1
        await asyncio.sleep(0.001)
        if weight > 40:
            raise ValueError(f"{weight} kg is too heavy")
        return 500 + 90 * weight + 25 * abs(floor)

    askers = [quote(3, 5) for _ in range(1_000)]
    assert await asyncio.gather(*askers) == [1025] * 1_000
    assert await quote(floor=3, weight=5) == 1025
    assert quotes == 1
    # ANCHOR_END: use

    heavy = [quote(3, 50) for _ in range(20)]
    answers = await asyncio.gather(*heavy, return_exceptions=True)
    assert all(isinstance(answer, ValueError) for answer in answers)
    assert quotes == 2
    assert await quote(-1, 5) == 975
    assert await quote(-2, 5) == 1000
    await asyncio.gather(*[quote(floor, 1) for floor in range(1_000)])
    assert len(quote.known) == 100

    # The carrier is slower than a price is kept.
    @memoise(capacity=100, time_to_live=0.02)
    async def slow(floor):
        nonlocal quotes
        quotes += 1
        await answers.wait()
        return floor

    quotes, askers, answers = 0, [], asyncio.Event()
    for _ in range(5):
        askers.append(asyncio.create_task(slow(3)))
        await asyncio.sleep(0.025)
    answers.set()
    assert await asyncio.gather(*askers) == [3] * 5
    assert quotes == 1, "pending, and so not too old"
    await asyncio.sleep(0.03)
    assert await slow(3) == 3
    assert quotes == 2, "too old"

    @memoise(capacity=100, time_to_live=60)
    async def days(floor, weight):
        return 3 if floor > 10 else 2

    days.__name__ = "quote"
    assert await days(-1, 5) == 2
    try:
        await quote([3, 4], 5)
        raise AssertionError("a list has no hash")
    except TypeError as error:
        assert "unhashable" in str(error)


asyncio.run(main())
