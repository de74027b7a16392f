# ANCHOR: rates
import asyncio


# ANCHOR: flights
class Rates:
    def __init__(self):
        self.flights = {}
# ANCHOR_END: flights

    async def get(self, currency, ask):
        # ANCHOR: reuse
        flight = self.flights.get(currency)
        if flight is None or flight.done() and (
            flight.cancelled() or flight.exception()
        ):
        # ANCHOR_END: reuse
            # ANCHOR: ask
            flight = self.flights[currency] = asyncio.create_task(ask())
            # ANCHOR_END: ask
        # ANCHOR: shared
        # Without the shield, one who leaves would cancel it for all.
        return await asyncio.shield(flight)
        # ANCHOR_END: shared
# ANCHOR_END: rates


async def main():
    requests = 0

    async def ask_the_bank():
        nonlocal requests
        requests += 1
        await asyncio.sleep(0.01)
        return 1.08

    async def ask_a_bank_that_is_down():
        nonlocal requests
        requests += 1
        await asyncio.sleep(0.01)
        raise ConnectionError("the bank is down")

    rates = Rates()
    askers = [rates.get("EUR", ask_the_bank) for _ in range(10_000)]
    assert await asyncio.gather(*askers) == [1.08] * 10_000
    assert requests == 1

    askers = [rates.get("JPY", ask_a_bank_that_is_down) for _ in range(20)]
    answers = await asyncio.gather(*askers, return_exceptions=True)
    assert all(isinstance(answer, ConnectionError) for answer in answers)
    assert requests == 2
    assert await rates.get("JPY", ask_the_bank) == 1.08

    first = asyncio.create_task(rates.get("GBP", ask_the_bank))
    second = asyncio.create_task(rates.get("GBP", ask_the_bank))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 1.08
    assert first.cancelled() and requests == 4

    async def ask_a_bank_that_gives_up():
        raise asyncio.CancelledError

    try:
        await rates.get("CHF", ask_a_bank_that_gives_up)
        raise AssertionError("it has given up")
    except asyncio.CancelledError:
        assert await rates.get("CHF", ask_the_bank) == 1.08

    # ANCHOR: shield
    flight = asyncio.create_task(ask_the_bank())
    waiter = asyncio.create_task(asyncio.wait_for(flight, 60))
    await asyncio.sleep(0)
    waiter.cancel()
    await asyncio.wait([waiter])
    assert flight.cancelled()
    # ANCHOR_END: shield

    # What it lacks: rates grow old, and none is ever thrown away.
    for n in range(1_000):
        await rates.get(f"coin {n}", lambda: asyncio.sleep(0, 0.0))
    assert len(rates.flights) == 1_004


asyncio.run(main())
