import asyncio


# ANCHOR: changes
async def an_event_is_sticky():
    gun = asyncio.Event()
    gun.set()
    await gun.wait()  # and so for everybody who comes later


async def a_condition_is_not():
    gun = asyncio.Condition()
    async with gun:
        gun.notify_all()
    try:
        async with asyncio.timeout(0.01), gun:
            await gun.wait()
        raise AssertionError("nobody fires again")
    except TimeoutError:
        pass
# ANCHOR_END: changes


async def main():
    await an_event_is_sticky()
    await a_condition_is_not()


asyncio.run(main())
