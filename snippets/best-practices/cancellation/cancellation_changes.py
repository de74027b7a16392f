import asyncio


async def cancel(work, delay=0):
    task = asyncio.create_task(work)
    await asyncio.sleep(delay)
    assert task.cancel()
    await asyncio.wait([task])
    return task


# ANCHOR: changes
async def the_branch_is_dead():
    looks = []

    async def observe():
        task = asyncio.current_task()
        try:
            while True:
                looks.append(task.cancelled())  # never true in here
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            looks.append(task.cancelled())
            assert task.cancelling() == 1  # this one tells
            raise

    task = await cancel(observe())
    assert len(looks) > 1 and not any(looks)
    assert task.cancelled()  # true when it is over, seen from outside


async def cleanup_replaces_it():
    async def observe():
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("the shutter is frozen")

    task = await cancel(observe())
    assert not task.cancelled()
    assert isinstance(task.exception(), OSError)


async def it_can_be_refused():
    async def observe():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass
        await asyncio.sleep(0)
        return "one more picture"

    task = await cancel(observe())
    assert not task.cancelled() and task.result() == "one more picture"


async def nothing_runs_before_the_first_step():
    ran = []

    async def observe():
        try:
            ran.append("try")
        finally:
            ran.append("finally")

    task = asyncio.create_task(observe())
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() and ran == []
# ANCHOR_END: changes


# ANCHOR: uncancel
async def refused_within_a_timeout(uncancel):
    async def observe():
        async with asyncio.timeout(None) as limit:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if uncancel:
                    asyncio.current_task().uncancel()
            limit.reschedule(0)  # now the time is over
            await asyncio.Event().wait()

    return await cancel(observe())


async def timeouts():
    # The timeout sees a cancellation that is not its own, and lets it pass.
    task = await refused_within_a_timeout(uncancel=False)
    assert task.cancelled()
    task = await refused_within_a_timeout(uncancel=True)
    assert isinstance(task.exception(), TimeoutError)

    # And who refuses the timeout's own cancellation has no time limit.
    async with asyncio.timeout(0) as limit:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass
        await asyncio.sleep(0.01)
    assert limit.expired()
# ANCHOR_END: uncancel


# ANCHOR: group
async def a_group_waits_for_those_who_refuse():
    pictures = []

    async def stubborn():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass
        await asyncio.sleep(0.01)
        pictures.append("one more picture")

    async def fails():
        raise OSError("the shutter is frozen")

    task = asyncio.current_task()
    try:
        async with asyncio.TaskGroup() as night:
            night.create_task(stubborn())
            night.create_task(fails())
            try:
                await asyncio.Event().wait()
            finally:
                assert task.cancelling() == 1  # the group cancels its owner
        raise AssertionError("the group fails")
    except* OSError:
        assert task.cancelling() == 0  # and takes that back
        assert pictures == ["one more picture"]
# ANCHOR_END: group


# ANCHOR: shield
async def shielded():
    saved = []

    async def save(written):
        await written.wait()
        saved.append("picture")

    async def observe(saving):
        await asyncio.shield(saving)

    # The waiting is cancelled, the saving is not ...
    written = asyncio.Event()
    saving = asyncio.create_task(save(written))
    await cancel(observe(saving))
    assert not saving.done()
    written.set()
    await saving
    assert saved == ["picture"]

    # ... unless the loop ends. `run` cancels what is left, shielded or not.
    async def night():
        saving = asyncio.create_task(save(asyncio.Event()))
        await cancel(observe(saving))

    await asyncio.to_thread(asyncio.run, night())
    assert saved == ["picture"]
# ANCHOR_END: shield


async def main():
    await the_branch_is_dead()
    await cleanup_replaces_it()
    await it_can_be_refused()
    await nothing_runs_before_the_first_step()
    await timeouts()
    await a_group_waits_for_those_who_refuse()
    await shielded()


asyncio.run(main())
