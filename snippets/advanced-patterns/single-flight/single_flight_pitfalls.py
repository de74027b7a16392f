import asyncio
from collections import defaultdict


# ANCHOR: lock
class Rates:
    def __init__(self):
        self.known = {}
        self.locks = defaultdict(asyncio.Lock)

    async def get(self, currency, ask):
        async with self.locks[currency]:
            if currency not in self.known:
                self.known[currency] = await ask()
            return self.known[currency]
# ANCHOR_END: lock


async def main():
    requests = 0

    async def ask_a_bank_that_is_down():
        nonlocal requests
        requests += 1
        await asyncio.sleep(0.001)
        raise ConnectionError("the bank is down")

    async def ask_the_bank():
        nonlocal requests
        requests += 1
        await asyncio.sleep(0.001)
        return 1.08

    # ANCHOR: defects
    # When the bank is down, every waiter asks again in its turn.
    rates = Rates()
    askers = [rates.get("JPY", ask_a_bank_that_is_down) for _ in range(20)]
    await asyncio.gather(*askers, return_exceptions=True)
    assert requests == 20

    # When the first one leaves, the next starts over.
    requests = 0
    first = asyncio.create_task(rates.get("GBP", ask_the_bank))
    second = asyncio.create_task(rates.get("GBP", ask_the_bank))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 1.08
    assert requests == 2

    # A rate and a lock for each currency ever asked for, even in vain.
    for n in range(1_000):
        await rates.get(f"coin {n}", lambda: asyncio.sleep(0, 0.0))
    assert len(rates.known) == 1_001
    assert len(rates.locks) == 1_002
    # ANCHOR_END: defects


asyncio.run(main())
