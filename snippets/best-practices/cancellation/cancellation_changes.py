import asyncio
import threading


async def cancel(work):
    task = asyncio.create_task(work)
    await asyncio.sleep(0)
    assert task.cancel()
    await asyncio.wait([task])
    return task


async def it_can_be_refused():
    async def follow():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass
        await asyncio.sleep(0)
        return "one more event"

    task = await cancel(follow())
    assert not task.cancelled() and task.result() == "one more event"


async def clean_up_replaces_it():
    async def follow():
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("the connection cannot be closed")

    task = await cancel(follow())
    assert not task.cancelled()
    assert isinstance(task.exception(), OSError)


async def cancelled_is_false_within():
    seen = []

    async def follow():
        task = asyncio.current_task()
        try:
            await asyncio.Event().wait()
        finally:
            seen.extend([task.cancelled(), task.cancelling()])

    task = await cancel(follow())
    assert seen == [False, 1] and task.cancelled()


async def nothing_runs_before_the_first_step():
    ran = []

    async def follow():
        try:
            ran.append("try")
        finally:
            ran.append("finally")

    task = asyncio.create_task(follow())
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() and ran == []


# ANCHOR: await
async def a_cancelled_caller_cancels_what_it_awaits(store):
    task = asyncio.create_task(store())

    async def caller():
        await task

    await cancel(caller())
    assert task.cancelled()


async def a_shield_prevents_that(store):
    task = asyncio.create_task(store())

    async def caller():
        await asyncio.shield(task)

    await cancel(caller())
    assert not task.done() and await task == "stored"
# ANCHOR_END: await


# ANCHOR: uncancel
async def a_timeout_within_a_task_that_refuses(uncancel):
    async def follow():
        async with asyncio.timeout(None) as limit:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if uncancel:
                    asyncio.current_task().uncancel()
            limit.reschedule(0)  # it expires now
            await asyncio.Event().wait()

    return await cancel(follow())


async def timeouts():
    task = await a_timeout_within_a_task_that_refuses(uncancel=False)
    assert task.cancelled()  # not a timeout
    task = await a_timeout_within_a_task_that_refuses(uncancel=True)
    assert isinstance(task.exception(), TimeoutError)
# ANCHOR_END: uncancel


async def a_timeout_that_is_caught_does_not_end_the_block():
    async with asyncio.timeout(0) as limit:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass
        await asyncio.sleep(0.01)
    assert limit.expired()


async def a_group_waits_for_a_task_that_refuses():
    stored = []

    async def refuses():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass
        await asyncio.sleep(0.01)
        stored.append("one more event")

    async def fails():
        raise OSError("the database is gone")

    task = asyncio.current_task()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(refuses())
            group.create_task(fails())
            try:
                await asyncio.Event().wait()
            finally:
                assert task.cancelling() == 1  # the group cancels its owner
        raise AssertionError("the group fails")
    except* OSError:
        assert task.cancelling() == 0  # and takes that back
        assert stored == ["one more event"]


async def a_thread_runs_on():
    release, stored = threading.Event(), threading.Event()

    def store_rows():
        release.wait()
        stored.set()

    task = await cancel(asyncio.to_thread(store_rows))
    assert task.cancelled() and not stored.is_set()
    release.set()
    await asyncio.to_thread(stored.wait)


async def main():
    await a_thread_runs_on()
    await it_can_be_refused()
    await clean_up_replaces_it()
    await cancelled_is_false_within()
    await nothing_runs_before_the_first_step()

    async def store():
        await asyncio.sleep(0.01)
        return "stored"

    await a_cancelled_caller_cancels_what_it_awaits(store)
    await a_shield_prevents_that(store)
    await timeouts()
    await a_timeout_that_is_caught_does_not_end_the_block()
    await a_group_waits_for_a_task_that_refuses()


asyncio.run(main())


# At its end, `asyncio.run` cancels what is left, also behind a shield.
ends = []


async def leaves_a_task():
    async def store():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ends.append("closed")

    async def caller(storing):
        await asyncio.shield(storing)

    storing = asyncio.create_task(store())
    await cancel(caller(storing))
    assert not storing.done()


asyncio.run(leaves_a_task())
assert ends == ["closed"]
