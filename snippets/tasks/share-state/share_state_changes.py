import asyncio


# ANCHOR: changes
async def main():
    price = 100

    # No await in between: nobody comes between, and no lock is needed.
    async def raises():
        nonlocal price
        for _ in range(1000):
            price += 1

    await asyncio.gather(*(raises() for _ in range(10)))
    assert price == 100 + 10 * 1000

    # An await in between: nine of ten bids are lost, here as in Rust.
    async def looks_before():
        nonlocal price
        seen = price
        await asyncio.sleep(0)
        price = seen + 10

    price = 100
    await asyncio.gather(*(looks_before() for _ in range(10)))
    assert price == 110

    # Python loses them even in one line: `price` is read before the await.
    async def in_one_line():
        nonlocal price
        price += await asyncio.sleep(0, result=10)

    price = 100
    await asyncio.gather(*(in_one_line() for _ in range(10)))
    assert price == 110

    # An error opens the lock and leaves no trace of what is half done.
    best, lock = {"price": 100, "bidder": "Ada"}, asyncio.Lock()
    try:
        async with lock:
            best["price"] = 120
            raise LookupError("who was that?")
    except LookupError:
        pass
    async with lock:
        assert best == {"price": 120, "bidder": "Ada"}
# ANCHOR_END: changes


asyncio.run(main())
