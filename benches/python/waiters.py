import asyncio
from time import perf_counter

from measure import measure

WAITERS = 10_000


class Rates:
    """That of the page on asking once."""

    def __init__(self):
        self.flights = {}

    async def get(self, currency, ask):
        flight = self.flights.get(currency)
        if flight is None or flight.done() and (
            flight.cancelled() or flight.exception()
        ):
            flight = self.flights[currency] = asyncio.create_task(ask())
        return await asyncio.shield(flight)


async def work(count):
    requests = 0

    async def ask_the_bank():
        """The answer comes when all have asked."""
        nonlocal requests
        requests += 1
        await all_have_asked.wait()
        return 1.08

    async def ask(currency):
        nonlocal asking
        asking += 1
        if asking == WAITERS:
            all_have_asked.set()
        return await rates.get(currency, ask_the_bank)

    seconds = 0
    rates = Rates()
    for currency in range(count // WAITERS):
        asking, all_have_asked = 0, asyncio.Event()
        start = perf_counter()
        answers = await asyncio.gather(*(ask(currency) for _ in range(WAITERS)))
        seconds += perf_counter() - start
        assert answers == [1.08] * WAITERS
    assert requests == count // WAITERS
    return seconds


measure(work, 10 * WAITERS)
