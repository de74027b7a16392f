import asyncio
import gc


# ANCHOR: weak
async def watch(log):
    # Nothing but the task itself refers to the future that it awaits.
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        log.append("collected")


async def forgets():
    log = []
    asyncio.create_task(watch(log))  # nothing refers to the task
    await asyncio.sleep(0)
    gc.collect()
    assert log == ["collected"]
# ANCHOR_END: weak


# ANCHOR: wait_for
async def gives_up():
    task = asyncio.create_task(asyncio.sleep(3600))
    try:
        await asyncio.wait_for(task, timeout=0.001)
        raise AssertionError("it sleeps for an hour")
    except TimeoutError:
        assert task.cancelled()
# ANCHOR_END: wait_for


async def cancels():
    """`cancel` does not wait for the end of the task."""
    task = asyncio.create_task(asyncio.sleep(3600))
    task.cancel()
    assert not task.done()
    await asyncio.wait([task])
    assert task.cancelled()


async def cleans_up(log):
    try:
        await asyncio.sleep(3600)
    finally:
        await asyncio.sleep(0)  # it may await
        log.append("cleaned up")


# ANCHOR: end
async def leaves(log):
    asyncio.create_task(cleans_up(log))
    await asyncio.sleep(0)


def end():
    log = []
    asyncio.run(leaves(log))  # cancels the task, and awaits it
    assert log == ["cleaned up"]
# ANCHOR_END: end


async def main():
    loop = asyncio.get_running_loop()
    messages = []
    loop.set_exception_handler(lambda _, c: messages.append(c["message"]))
    await forgets()
    assert messages == ["Task was destroyed but it is pending!"]
    await gives_up()
    await cancels()


asyncio.run(main())
end()
