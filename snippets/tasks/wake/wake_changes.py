import asyncio


async def main():
    # ANCHOR: event
    event = asyncio.Event()
    event.set()
    await event.wait()  # at once, and so for each later task
    event.clear()
    # ANCHOR_END: event
    assert not event.is_set()

    # A waiter wakes although the event is cleared before it runs.
    waiting = asyncio.create_task(event.wait())
    await asyncio.sleep(0)
    event.set()
    event.clear()
    assert await waiting

    # notify keeps nothing for a task that waits later.
    changed = asyncio.Condition()
    async with changed:
        changed.notify()
        try:
            async with asyncio.timeout(0.001):
                await changed.wait()
            raise AssertionError("nothing is kept")
        except TimeoutError:
            pass

    # The task that would set the result has ended: await waits forever.
    # ANCHOR: future
    future = asyncio.get_running_loop().create_future()

    async def answer():
        raise LookupError("404 Not Found")  # before future.set_result

    task = asyncio.create_task(answer())
    done, pending = await asyncio.wait({future, task}, timeout=0.01)
    assert done == {task} and pending == {future}  # it waits forever
    # ANCHOR_END: future
    assert isinstance(task.exception(), LookupError)

    # A task that is notified and cancelled at once loses the wake-up.
    wakes = []

    async def wait(name):
        async with changed:
            await changed.wait()
            wakes.append(name)

    first = asyncio.create_task(wait("first"))
    second = asyncio.create_task(wait("second"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    async with changed:
        changed.notify()
    first.cancel()
    await asyncio.wait([first, second], timeout=0.01)
    assert wakes == [] and first.cancelled(), wakes
    second.cancel()


asyncio.run(main())
