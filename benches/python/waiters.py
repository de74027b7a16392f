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
        nonlocal requests
        requests += 1
        await asyncio.sleep(0.05)
        return 1.08

    seconds = 0
    rates = Rates()
    for currency in range(count // WAITERS):
        start = perf_counter()
        askers = (rates.get(currency, ask_the_bank) for _ in range(WAITERS))
        answers = await asyncio.gather(*askers)
        seconds += perf_counter() - start - 0.05
        assert answers == [1.08] * WAITERS
    assert requests == count // WAITERS
    return seconds


measure(work, 10 * WAITERS)
