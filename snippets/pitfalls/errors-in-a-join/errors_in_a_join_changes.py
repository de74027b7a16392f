import asyncio

sold = []


async def buy(key, response):
    await response.wait()
    if key >= 40:
        raise LookupError(f"label {key} is refused")
    sold.append(key)
    return key


async def main():
    unhandled = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: unhandled.append(context))
    now, later = asyncio.Event(), asyncio.Event()
    now.set()

    # ANCHOR: gather
    try:
        await asyncio.gather(buy(41, now), buy(2, later), buy(43, later))
        raise AssertionError("label 41 is refused")
    except LookupError:
        assert sold == []
    later.set()
    await asyncio.sleep(0.01)
    assert sold == [2]  # bought after the error
    assert unhandled == []  # the second error is not logged
    # ANCHOR_END: gather
    assert len(asyncio.all_tasks()) == 1

    # ANCHOR: mixed
    never = asyncio.create_task(buy(2, asyncio.Event()))
    loop.call_soon(never.cancel)
    results = await asyncio.gather(
        buy(41, now), never, buy(3, now), return_exceptions=True
    )
    good = [r for r in results if not isinstance(r, Exception)]
    assert isinstance(good[0], asyncio.CancelledError)
    assert good[1:] == [3]
    # ANCHOR_END: mixed


asyncio.run(main())
