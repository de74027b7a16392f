import asyncio


async def track():
    return 7


async def main():
    # ANCHOR: ended
    task = asyncio.ensure_future(track())
    assert await task == 7
    assert await task == 7  # the task keeps its result

    coroutine = track()
    assert await coroutine == 7
    try:
        await coroutine
        raise AssertionError("it has ended")
    except RuntimeError as error:
        assert str(error) == "cannot reuse already awaited coroutine"
    # ANCHOR_END: ended


asyncio.run(main())
