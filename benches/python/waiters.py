import asyncio
from time import perf_counter

from measure import WAY, measure, page

shared = page("advanced-patterns/single-flight/single_flight.py")

WAITERS = 10_000


class Futures:
    """A future for each waiter in place of a shield, and neither a timeout nor
    an age nor a bound."""

    def __init__(self):
        self.flights = {}

    async def get(self, currency, ask):
        known = self.flights.get(currency)
        if known is None or known[0].done() and (
            known[0].cancelled() or known[0].exception()
        ):
            known = asyncio.create_task(ask()), []
            self.flights[currency] = known
            known[0].add_done_callback(lambda _: self.wake(known[1]))
        flight, waiting = known
        if not flight.done():
            arrival = asyncio.get_running_loop().create_future()
            waiting.append(arrival)
            await arrival
        return flight.result()

    @staticmethod
    def wake(waiting):
        for arrival in waiting:
            if not arrival.done():
                arrival.set_result(None)


async def work(count):
    requests = 0

    async def ask_the_bank():
        """Answers when all waiters have asked."""
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
    shield = shared.SingleFlight(3600, time_to_live=3600, capacity=100)
    rates = {"shield": shield, "futures": Futures()}[WAY]
    for currency in range(count // WAITERS):
        asking, all_have_asked = 0, asyncio.Event()
        start = perf_counter()
        tasks = [asyncio.create_task(ask(currency)) for _ in range(WAITERS)]
        answers = [await task for task in tasks]
        seconds += perf_counter() - start
        assert answers == [1.08] * WAITERS
    assert requests == count // WAITERS
    return seconds


measure(work, 10 * WAITERS)
