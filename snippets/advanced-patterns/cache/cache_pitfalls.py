import asyncio
import functools


# ANCHOR: recipe
class Memory:
    def __init__(self):
        self.values, self.locks = {}, {}

    def memoise(self, function):
        @functools.wraps(function)
        async def wrapper(*args, **kwargs):
            arguments = hash((args, tuple(sorted(kwargs.items()))))
            key = function.__name__, arguments
            lock = self.locks.setdefault(key, asyncio.Lock())
            async with lock:
                if key not in self.values:
                    self.values[key] = await function(*args, **kwargs)
                return self.values[key]

        return wrapper
# ANCHOR_END: recipe


async def main():
    requests = 0
    memory = Memory()

    @memory.memoise
    async def quote(degrees, weight):
        nonlocal requests
        requests += 1
        await asyncio.sleep(0)
        if weight > 40:
            raise ValueError(f"{weight} kg are too heavy")
        return 500 + 90 * weight + 25 * abs(degrees)

    # ANCHOR: defects
    # hash(-1) == hash(-2), so the second parcel gets the first's price.
    assert await quote(-1, 5) == 975
    assert await quote(-2, 5) == 975  # it should be 1000

    # Another function of the same name gets the same values.
    def other_carrier():
        @memory.memoise
        async def quote(degrees, weight):
            return 99

        return quote

    assert await other_carrier()(-1, 5) == 975

    # One call, written in two ways, is made twice.
    before = requests
    await quote(3, 5)
    await quote(degrees=3, weight=5)
    assert requests == before + 2

    # Each of 20 waiters repeats a failing request.
    before = requests
    heavy = [quote(3, 50) for _ in range(20)]
    answers = await asyncio.gather(*heavy, return_exceptions=True)
    assert all(isinstance(answer, ValueError) for answer in answers)
    assert requests == before + 20

    # It keeps every value and lock forever.
    for degrees in range(1_000, 2_000):
        await quote(degrees, 1)
    assert len(memory.values) > 1_000 and len(memory.locks) > 1_000
    # ANCHOR_END: defects

    # `lru_cache` keeps the coroutine, not its value.
    @functools.lru_cache
    async def price():
        return 1250

    assert await price() == 1250
    try:
        await price()
        raise AssertionError("it is awaited twice")
    except RuntimeError as error:
        assert "already awaited" in str(error)


asyncio.run(main())
