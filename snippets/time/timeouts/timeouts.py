# ANCHOR: keep
import asyncio

QUOTE = 4.0  # the time limit of one quote
PURCHASE = 3.0  # a purchase begins only if so much time is left


# ANCHOR: error
class Late(Exception):
    """Nothing was bought."""


class NoQuote(Exception):
    """No carrier has a price."""


class Unknown(Exception):
    """There was no answer: the label may have been bought."""
# ANCHOR_END: error


async def buy_label(find_city, carriers, deadline):
    """Buys a label from the first carrier with a price, before the deadline."""
    # ANCHOR: must
    now = asyncio.get_running_loop().time
    latest = deadline - PURCHASE  # the last moment to begin a purchase
    if now() > latest:
        raise Late
    city = await before(latest, find_city(), Late)
    # ANCHOR_END: must
    # ANCHOR: each
    errors = []
    for carrier in carriers:
        limit = min(latest, now() + QUOTE)
        if now() >= latest:
            errors.append("no time is left")
            break
        try:
            cents = await before(limit, carrier.quote(city), NoQuote)
        except NoQuote:
            errors.append("no quote in time")
        except Exception as error:
            errors.append(str(error))
        else:
            if now() <= latest:
                return await purchase(carrier, cents, deadline)
            errors.append("no quote in time")
    raise NoQuote(errors)
    # ANCHOR_END: each


# ANCHOR: last
async def purchase(carrier, cents, deadline):
    return await before(deadline, carrier.buy(cents), Unknown)


async def before(deadline, coroutine, error):
    """Raises `error` at the deadline, and no other TimeoutError as it."""
    limit = asyncio.timeout_at(deadline)
    try:
        async with limit:
            return await coroutine
    except TimeoutError:
        if limit.expired():
            raise error from None
        raise
# ANCHOR_END: last
# ANCHOR_END: keep


class PausedLoop(asyncio.SelectorEventLoop):
    """Its clock jumps to the next timer when nothing else can run."""

    paused_at = 0.0

    def __init__(self):
        super().__init__()
        select = self._selector.select

        def jump(timeout):
            self.paused_at += timeout or 0
            return select(timeout and 0)

        self._selector.select = jump

    def time(self):
        return round(self.paused_at, 3)


async def make(call):
    """After so many seconds, or never, or an error."""
    if isinstance(call, Exception):
        raise call
    if call == "blocks":
        asyncio.get_running_loop().paused_at += 20
    else:
        await (asyncio.Event().wait() if call is None else asyncio.sleep(call))


class Fake:
    def __init__(self, quote, buy):
        self.ends, self.sold = (quote, buy), 0

    async def quote(self, city):
        assert city == "Bergen"
        await make(self.ends[0])
        return 700

    async def buy(self, cents):
        if not isinstance(self.ends[1], Exception):
            self.sold += 1
        await make(self.ends[1])
        return f"a label for {cents} cents"


FAILS = ConnectionResetError("reset")
LATE = NoQuote(["no quote in time", "no time is left"])
# The calls, the seconds, how it ends, how many labels are sold.
CASES = [
    (1, [1, FAILS], 1, 3, "a label for 700 cents", 1),
    (1, [FAILS, 1], 1, 3, "a label for 700 cents", 1),
    (3, [None, 1], 1, 9, "a label for 700 cents", 1),
    # The quote comes at the deadline itself, and the timer was set before it.
    (7, [None, 1], 3, 12, NoQuote(["no quote in time"] * 2), 0),
    (3, [None, FAILS], 1, 7, NoQuote(["no quote in time", "reset"]), 0),
    (6, [None, None], 1, 12, NoQuote(["no quote in time"] * 2), 0),
    (9, [None, 1], 1, 12, LATE, 0),
    (1, ["blocks", 1], 1, 21, LATE, 0),
    (None, [1], 1, 12, Late(), 0),
    (FAILS, [1], 1, 0, FAILS, 0),
    (1, [1], FAILS, 2, FAILS, 0),
    (1, [1], None, 15, Unknown(), 1),
    # A TimeoutError that is not the deadline's.
    (TimeoutError("theirs"), [1], 1, 0, TimeoutError("theirs"), 0),
    (1, [1], TimeoutError("theirs"), 2, TimeoutError("theirs"), 0),
]


async def main():
    now = asyncio.get_running_loop().time

    async def call():
        await asyncio.sleep(1)
        return "Bergen"

    carriers = [Fake(1, 1)]
    # ANCHOR: call
    # Where the request comes in:
    deadline = asyncio.get_running_loop().time() + 15

    label = await buy_label(call, carriers, deadline)
    # ANCHOR_END: call
    assert label == "a label for 700 cents"

    for city, quotes, buy, seconds, expected, sold in CASES:
        async def find_city():
            await make(city)
            return "Bergen"

        carriers, start = [Fake(quote, buy) for quote in quotes], now()
        try:
            end = await buy_label(find_city, carriers, start + 15)
        except Exception as error:
            end = error
        assert repr(end) == repr(expected), (end, expected)
        assert round(now() - start, 3) == seconds, (expected, now() - start)
        assert sum(carrier.sold for carrier in carriers) == sold

    # A deadline that is too near.
    try:
        await buy_label(None, [], now() + PURCHASE - 0.1)
        raise AssertionError("it is too late")
    except Late:
        pass


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=PausedLoop) as runner:
        runner.run(main())
