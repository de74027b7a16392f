# ANCHOR: sauna
import asyncio


class Sauna:
    def __init__(self):
        self.fires = 0
        # ANCHOR: cell
        self.stove, self.lock = None, asyncio.Lock()
        # ANCHOR_END: cell

    # ANCHOR: enter
    async def enter(self):
        if self.stove is None:
            async with self.lock:
                # Somebody else may have heated it in the meantime.
                if self.stove is None:
                    self.stove = await self.heat()
        return self.stove
    # ANCHOR_END: enter

    # ANCHOR: heat
    async def heat(self):
        self.fires += 1
        await asyncio.sleep(0.01)
        return "hot"
    # ANCHOR_END: heat
# ANCHOR_END: sauna


async def main():
    sauna = Sauna()
    assert sauna.fires == 0
    guests = [sauna.enter() for _ in range(1000)]
    assert await asyncio.gather(*guests) == ["hot"] * 1000
    assert await sauna.enter() == "hot"
    assert sauna.fires == 1


asyncio.run(main())
