import asyncio


# ANCHOR: changes
async def an_event_is_sticky():
    gun = asyncio.Event()
    gun.set()
    await gun.wait()  # and so for everybody who comes later


async def a_full_queue_says_so():
    queue = asyncio.Queue(4)
    for number in range(4):
        queue.put_nowait(number)
    try:
        queue.put_nowait(4)
        raise AssertionError("there is no place")
    except asyncio.QueueFull:
        pass


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
    await a_full_queue_says_so()
    await a_condition_is_not()


asyncio.run(main())
