import asyncio


async def track(parcel, lost=False):
    await asyncio.sleep(0)
    if lost:
        raise LookupError("404 Not Found")
    return f"parcel {parcel} is in transit"


# ANCHOR: key
async def whose_error():
    tasks = [asyncio.create_task(track(7)), asyncio.create_task(track(8, True))]
    errors = 0
    for result in asyncio.as_completed(tasks):
        assert result not in tasks  # which parcel is it?
        try:
            await result
        except LookupError:
            errors += 1
    assert errors == 1
# ANCHOR_END: key


# ANCHOR: leave
async def leaves_the_loop():
    arrives = asyncio.Event()
    slow = asyncio.create_task(arrives.wait())
    for result in asyncio.as_completed([track(7), slow]):
        await result
        break
    await asyncio.sleep(0)
    assert not slow.cancelled()  # it runs on
    arrives.set()
    assert await slow
# ANCHOR_END: leave


# ANCHOR: timeout
async def times_out():
    silent = asyncio.create_task(asyncio.Event().wait())
    for result in asyncio.as_completed([silent], timeout=0.01):
        try:
            await result
        except TimeoutError:
            assert not silent.done()  # it runs on
    silent.cancel()
# ANCHOR_END: timeout


for main in whose_error, leaves_the_loop, times_out:
    asyncio.run(main())
