import asyncio
from collections import defaultdict


# ANCHOR: lock
class Quotes:
    def __init__(self):
        self.known = {}
        self.locks = defaultdict(asyncio.Lock)

    async def get(self, key, request):
        async with self.locks[key]:
            if key not in self.known:
                self.known[key] = await request()
            return self.known[key]
# ANCHOR_END: lock


async def main():
    requests = 0

    async def failing():
        nonlocal requests
        requests += 1
        await asyncio.sleep(0.001)
        raise ConnectionError("503 Service Unavailable")

    async def quote():
        nonlocal requests
        requests += 1
        await asyncio.sleep(0.001)
        return 1250

    # While the carrier is down, each of the callers sends a request in turn.
    quotes = Quotes()
    callers = [quotes.get("failing", failing) for _ in range(20)]
    await asyncio.gather(*callers, return_exceptions=True)
    assert requests == 20

    # When the first caller gives up, the next one starts again.
    requests = 0
    first = asyncio.create_task(quotes.get("parcel 7", quote))
    second = asyncio.create_task(quotes.get("parcel 7", quote))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 1250
    assert requests == 2

    # It keeps a value and a lock for each key, forever.
    for number in range(1_000):
        await quotes.get(f"parcel {number}", quote)
    assert len(quotes.known) == 1_000
    assert len(quotes.locks) == 1_001


asyncio.run(main())
