import asyncio
from contextlib import aclosing


class Thermometer:
    def __init__(self, *readings):
        self.left = list(readings)

    async def read(self):
        await asyncio.sleep(0)
        return self.left.pop(0) if self.left else None


# ANCHOR: changes
class Readings:  # a common recipe
    def __init__(self, thermometer):
        self.thermometer = thermometer

    def __aiter__(self):
        return self

    async def __anext__(self):
        reading = await self.thermometer.read()
        if reading is None:
            raise StopAsyncIteration
        return reading


async def watch(log):
    try:
        for degrees in (18.5, 19.0, 21.5):
            await asyncio.sleep(0.005)
            yield degrees
    finally:
        await asyncio.sleep(0)
        log.append("thermometer off")


async def main():
    # One missed reading, and the rest of the morning is gone.
    thermometer = Thermometer(18.5, None, 19.0, 21.5)
    assert [r async for r in Readings(thermometer)] == [18.5]
    assert thermometer.left == [19.0, 21.5]
    assert not hasattr(Readings, "aclose")  # and nothing to clean up with

    # A break does not run the generator's finally ...
    log = []
    stream = watch(log)
    async for _ in stream:
        break
    await asyncio.sleep(0.01)
    assert log == []
    await stream.aclose()  # ... until somebody asks for it.
    assert log == ["thermometer off"]

    # With no name to hold it, the collector leaves it to the event loop.
    log = []
    async for _ in watch(log):
        break
    assert log == []
    while not log:
        await asyncio.sleep(0)  # let the event loop get round to it

    # A timeout around anext() ends the generator.
    stream = watch([])
    try:
        await asyncio.wait_for(anext(stream), timeout=0.001)
        raise AssertionError("there was time enough")
    except TimeoutError:
        pass
    assert await anext(stream, "over") == "over"

    # aclosing is the cure for the first two.
    log = []
    async with aclosing(watch(log)) as stream:
        async for _ in stream:
            break
    assert log == ["thermometer off"]
# ANCHOR_END: changes


asyncio.run(main())
