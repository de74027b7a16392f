import asyncio
from contextlib import aclosing


class Thermometer:
    def __init__(self, *readings):
        self.left = list(readings)

    async def read(self):
        await asyncio.sleep(0.001)
        if not self.left:
            raise EOFError
        return self.left.pop(0)


# ANCHOR: generator
# ANCHOR: macro
async def readings(thermometer):
    while True:
        try:
            reading = await thermometer.read()
        except EOFError:
            return
        yield reading  # degrees, or None where it missed its turn
# ANCHOR_END: macro


async def main():
    # ANCHOR: thermometer
    thermometer = Thermometer(18.5, None, 19.0, 21.5)
    # ANCHOR_END: thermometer
    # ANCHOR: consume
    seen = []
    async with aclosing(readings(thermometer)) as stream:
        async for reading in stream:
            seen.append(reading)
    # ANCHOR_END: consume
    # ANCHOR: seen
    assert seen == [18.5, None, 19.0, 21.5]
    # ANCHOR_END: seen
# ANCHOR_END: generator


asyncio.run(main())
