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
    quotes = 0
    memory = Memory()

    @memory.memoise
    async def quote(floor, weight):
        nonlocal quotes
        quotes += 1
        await asyncio.sleep(0)
        if weight > 40:
            raise ValueError(f"{weight} kg is too heavy")
        return 500 + 90 * weight + 25 * abs(floor)

    # ANCHOR: defects
    # hash(-1) == hash(-2), so the second delivery gets the first's price.
    assert await quote(-1, 5) == 975
    assert await quote(-2, 5) == 975  # it should be 1000

    # Another carrier's function has the same name, and so the same entries.
    def other_carrier():
        @memory.memoise
        async def quote(floor, weight):
            return 99

        return quote

    assert await other_carrier()(-1, 5) == 975

    # One call in two spellings is computed twice.
    before = quotes
    await quote(3, 5)
    await quote(floor=3, weight=5)
    assert quotes == before + 2

    # A failure is repeated by each of its 20 waiters.
    before = quotes
    heavy = [quote(3, 50) for _ in range(20)]
    answers = await asyncio.gather(*heavy, return_exceptions=True)
    assert all(isinstance(answer, ValueError) for answer in answers)
    assert quotes == before + 20

    # An argument without a hash is an error, when the call is made.
    try:
        await quote([3, 4], 5)
        raise AssertionError("a list has no hash")
    except TypeError as error:
        assert "unhashable" in str(error)

    # Nothing is ever thrown away.
    for floor in range(1_000, 2_000):
        await quote(floor, 1)
    assert len(memory.values) > 1_000 and len(memory.locks) > 1_000
    # ANCHOR_END: defects


asyncio.run(main())
