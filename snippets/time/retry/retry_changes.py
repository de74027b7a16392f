import asyncio


# ANCHOR: changes
async def a_coroutine_is_awaited_once():
    async def call():
        return "engaged"

    attempt = call()
    assert await attempt == "engaged"
    try:
        await attempt
        raise AssertionError("it is used up")
    except RuntimeError as error:
        assert "cannot reuse already awaited coroutine" in str(error)


async def a_retry_can_catch_its_cancellation():
    calls = []

    async def call():
        calls.append(1)
        await asyncio.sleep(3600)

    async def ask():
        for _ in range(4):
            try:
                return await call()
            except BaseException:  # or `except:`
                await asyncio.sleep(0)

    asking = asyncio.create_task(ask())
    for _ in range(3):
        await asyncio.sleep(0.001)
        asking.cancel()
    await asyncio.sleep(0.001)
    assert not asking.done() and len(calls) == 4
    asking.cancel()
    await asyncio.wait([asking])
# ANCHOR_END: changes


async def main():
    await a_coroutine_is_awaited_once()
    await a_retry_can_catch_its_cancellation()


asyncio.run(main())
