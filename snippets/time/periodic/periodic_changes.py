import asyncio


# ANCHOR: changes
async def call_later_forgets_the_coroutine():
    loop, wound = asyncio.get_running_loop(), []

    async def wind():
        wound.append("an hour")

    coroutines = []
    loop.call_later(0, lambda: coroutines.append(wind()))
    await asyncio.sleep(0.01)
    assert wound == []  # it was called, and nobody awaits it
    coroutines[0].close()


async def a_loop_of_sleeps_drifts():
    now = asyncio.get_running_loop().time
    start = now()
    for _ in range(5):
        await asyncio.sleep(0.01)  # the work
        await asyncio.sleep(0.02)  # the pause
    assert now() - start >= 0.15  # and not 0.1
# ANCHOR_END: changes


async def main():
    await call_later_forgets_the_coroutine()
    await a_loop_of_sleeps_drifts()


asyncio.run(main())
