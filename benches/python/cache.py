import asyncio
import time
from functools import partial
from time import perf_counter

from measure import WAY, measure, page

memoise = page("advanced-patterns/cache/cache.py").memoise


def plain(capacity, time_to_live):
    """The least code with a bound and a time to live: it takes positional
    arguments only, and returns a known value without waiting."""

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
    computed = 0
    keys = [str(n) for n in range(100)]

    memo = partial(memoise, timeout=60) if WAY == "memoise" else plain

    @memo(capacity=1000, time_to_live=60)
    async def number(key):
        nonlocal computed
        computed += 1
        return float(key)

    async def ask(times):
        total = 0.0
        for n in range(times):
            total += await number(keys[n % 100])
        return total

    await ask(100)
    start = perf_counter()
    totals = await asyncio.gather(*(ask(count // 4) for _ in range(4)))
    seconds = perf_counter() - start
    assert sum(totals) == count // 100 * sum(range(100))
    assert computed == 100
    return seconds


measure(work, 1_000_000)
