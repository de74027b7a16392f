import asyncio
import io


# ANCHOR: stacks
def stacks():
    """Where each task of the running loop waits."""
    text = io.StringIO()
    for task in asyncio.all_tasks():
        task.print_stack(file=text)
    return text.getvalue()
# ANCHOR_END: stacks


async def the_stack_names_the_line_that_waits():
    lock = asyncio.Lock()

    async def lock_twice():
        async with lock:
            await lock.acquire()

    task = asyncio.create_task(lock_twice())
    await asyncio.sleep(0)
    text = stacks()
    assert f'"{__file__}", line ' in text, text
    assert "await lock.acquire()" in text, text
    task.cancel()


# ANCHOR: changes
async def the_body_of_a_loop_may_wait():
    log, stored = asyncio.Lock(), []

    async def track(parcel):
        async with log:
            await asyncio.sleep(0)
        return parcel

    for tracked in asyncio.as_completed(map(track, range(3))):
        parcel = await tracked
        async with log:
            stored.append(parcel)
    assert sorted(stored) == [0, 1, 2]


async def a_generator_keeps_its_lock():
    log = asyncio.Lock()

    async def parcels():
        async with log:
            for parcel in range(3):
                yield parcel

    generator = parcels()
    async for _ in generator:
        try:
            async with asyncio.timeout(0.01), log:
                raise AssertionError("the generator holds it")
        except TimeoutError:
            break
    await generator.aclose()
    assert not log.locked()
# ANCHOR_END: changes


async def wait_takes_tasks_and_futures():
    future = asyncio.get_running_loop().create_future()
    _, pending = await asyncio.wait([future], timeout=0)
    assert pending == {future}
    coro = asyncio.sleep(0)
    try:
        await asyncio.wait([coro])
        raise AssertionError("it is no task")
    except TypeError:
        coro.close()


async def main():
    await the_stack_names_the_line_that_waits()
    await the_body_of_a_loop_may_wait()
    await a_generator_keeps_its_lock()
    await wait_takes_tasks_and_futures()


asyncio.run(main())
