import asyncio


# ANCHOR: changes
async def a_cancelled_task_may_await_and_fail():
    steps = []

    async def fails():
        raise LookupError("parcel 13 is unknown")

    async def cleans_up():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            steps.append("clean-up")
            raise OSError("the carrier is down")

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(cleans_up())
            await asyncio.sleep(0)
            group.create_task(fails())
        raise AssertionError("a task fails")
    except* LookupError as lost:
        assert len(lost.exceptions) == 1
    except* OSError as failed:
        assert len(failed.exceptions) == 1
    assert steps == ["clean-up"]


async def a_task_may_refuse():
    release = asyncio.Event()

    async def swallows():
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                pass

    async def run():
        async with asyncio.TaskGroup() as group:
            group.create_task(swallows())
            await asyncio.sleep(0)
            raise LookupError("parcel 13 is unknown")

    task = asyncio.create_task(run())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not task.done()  # the group waits for it
    release.set()
    try:
        await task
        raise AssertionError("the body fails")
    except* LookupError:
        pass


async def a_limit_around_it_waits():
    steps = []

    async def track():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            steps.append("clean-up")

    try:
        async with asyncio.timeout(0.01):
            async with asyncio.TaskGroup() as group:
                group.create_task(track())
        raise AssertionError("the carrier never answers")
    except TimeoutError:
        assert steps == ["clean-up"]
# ANCHOR_END: changes


async def a_group_that_has_ended_refuses():
    async with asyncio.TaskGroup() as group:
        pass
    coroutine = asyncio.sleep(0)
    try:
        group.create_task(coroutine)
        raise AssertionError("it is too late")
    except RuntimeError as error:
        assert "is finished" in str(error)
        coroutine.close()


async def main():
    await a_cancelled_task_may_await_and_fail()
    await a_task_may_refuse()
    await a_limit_around_it_waits()
    await a_group_that_has_ended_refuses()


asyncio.run(main())
