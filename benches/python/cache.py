import asyncio
import functools
import inspect
import time
from time import perf_counter

from measure import WAY, measure


def memoise(capacity, time_to_live):
    """That of the page on caching."""

    def decorate(function):
        signature, known = inspect.signature(function), {}

        @functools.wraps(function)
        async def wrapper(*args, **kwargs):
            call = signature.bind(*args, **kwargs)
            call.apply_defaults()
            key = call.args, tuple(sorted(call.kwargs.items()))
            begun, flight = known.pop(key, (0, None))
            if (
                flight is None
                or flight.done()
                and (flight.cancelled() or flight.exception())
                or time.monotonic() - begun > time_to_live
            ):
                begun = time.monotonic()
                flight = asyncio.create_task(function(*args, **kwargs))
            known[key] = begun, flight
            if len(known) > capacity:
                del known[next(iter(known))]
            return await asyncio.shield(flight)

        return wrapper

    return decorate


def plain(capacity, time_to_live):
    """The least that keeps the bound and the time: positional arguments, and
    a value that is known comes without a wait."""

    def decorate(function):
        known = {}

        async def wrapper(*key):
            if entry := known.get(key):
                begun, value = entry
                if time.monotonic() - begun < time_to_live:
                    return value
            value = await function(*key)
            known[key] = time.monotonic(), value
            if len(known) > capacity:
                del known[next(iter(known))]
            return value

        return wrapper

    return decorate


async def work(count):
    quotes = 0

    @{"memoise": memoise, "plain": plain}[WAY](capacity=1000, time_to_live=60)
    async def quote(floor, weight):
        nonlocal quotes
        quotes += 1
        return 500 + 90 * weight + 25 * abs(floor)

    async def ask(times):
        total = 0
        for n in range(times):
            total += await quote(n % 100, 5)
        return total

    await ask(100)
    start = perf_counter()
    totals = await asyncio.gather(*(ask(count // 4) for _ in range(4)))
    seconds = perf_counter() - start
    assert sum(totals) == count // 100 * sum(950 + 25 * n for n in range(100))
    assert quotes == 100
    return seconds


measure(work, 1_000_000)
