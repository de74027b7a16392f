import asyncio


# ANCHOR: changes
async def farewell():
    steps = []

    async def south():
        raise LookupError("no bridge")

    async def north():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # a farewell may await
            steps.append("farewell")
            raise OSError("no radio")  # and fail: that counts too

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(north())
            await asyncio.sleep(0)
            group.create_task(south())
        raise AssertionError("there is no bridge")
    except* LookupError as lost:
        assert len(lost.exceptions) == 1
    except* OSError as failed:
        assert len(failed.exceptions) == 1
    assert steps == ["farewell"]


async def refuses():
    summit = asyncio.Event()

    async def stubborn():
        while not summit.is_set():
            try:
                await summit.wait()
            except asyncio.CancelledError:
                pass  # on, whatever they say

    async def day():
        async with asyncio.TaskGroup() as group:
            group.create_task(stubborn())
            await asyncio.sleep(0)
            raise LookupError("no bridge")

    task = asyncio.create_task(day())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not task.done()  # the group waits for the one who refuses
    summit.set()
    try:
        await task
        raise AssertionError("there is no bridge")
    except* LookupError:
        pass


async def limit():
    down = []

    async def climb():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            down.append(1)

    try:
        async with asyncio.timeout(0.01):
            async with asyncio.TaskGroup() as group:
                group.create_task(climb())
        raise AssertionError("it climbs for ever")
    except TimeoutError:
        assert down == [1]  # the limit has waited for it
# ANCHOR_END: changes


async def main():
    await farewell()
    await refuses()
    await limit()


asyncio.run(main())
