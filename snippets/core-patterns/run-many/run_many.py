# ANCHOR: all
import asyncio


# ANCHOR: network
class Mast:
    """The radio mast of the stations: counts the calls under way."""

    def __init__(self):
        self.calls = self.peak = 0
# ANCHOR_END: network

    # ANCHOR: read
    async def read(self, station):
        self.calls += 1
        self.peak = max(self.peak, self.calls)
        await asyncio.sleep(0.01)
        self.calls -= 1
        return f"{station}: 4.5 °C"
    # ANCHOR_END: read


# ANCHOR: join_all
async def read_all(mast, stations):
    return await asyncio.gather(*(mast.read(name) for name in stations))
# ANCHOR_END: join_all


async def main():
    mast = Mast()
    readings = await read_all(mast, ["Bergen", "Oslo", "Vardø"])
    assert readings == ["Bergen: 4.5 °C", "Oslo: 4.5 °C", "Vardø: 4.5 °C"]
    assert mast.peak == 3

    # Nothing holds it back: a thousand stations, a thousand calls at once.
    await read_all(mast, range(1000))
    assert mast.peak == 1000


# ANCHOR: run
asyncio.run(main())
# ANCHOR_END: run
# ANCHOR_END: all
