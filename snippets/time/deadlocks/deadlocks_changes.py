import asyncio


# ANCHOR: changes
async def the_body_of_a_loop_may_wait():
    track, log = asyncio.Lock(), []

    async def drive(train):
        async with track:
            await asyncio.sleep(0)
        return train

    for train in asyncio.as_completed(map(drive, range(3))):
        number = await train
        async with track:
            log.append(number)
    assert sorted(log) == [0, 1, 2]


async def a_generator_stands_still():
    track = asyncio.Lock()

    async def trains():
        async with track:
            for train in range(3):
                yield train

    arriving = trains()
    async for _train in arriving:
        try:
            async with asyncio.timeout(0.01), track:
                raise AssertionError("the generator holds it")
        except TimeoutError:
            break
    await arriving.aclose()
    assert not track.locked()


async def a_lock_knows_no_owner():
    track = asyncio.Lock()
    async with track:
        try:
            async with asyncio.timeout(0.01):
                await track.acquire()  # waits for itself
            raise AssertionError("it is locked")
        except TimeoutError:
            pass
# ANCHOR_END: changes


async def main():
    await the_body_of_a_loop_may_wait()
    await a_generator_stands_still()
    await a_lock_knows_no_owner()


asyncio.run(main())
