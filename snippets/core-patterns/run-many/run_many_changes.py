import asyncio
import threading


# ANCHOR: changes
async def lazy_and_eager():
    asked = 0

    async def read():
        nonlocal asked
        asked += 1

    coroutine = read()
    await asyncio.sleep(0)
    assert asked == 0  # a coroutine is as lazy as a future
    task = asyncio.create_task(read())
    await asyncio.sleep(0)
    assert asked == 1  # a task is not, in both languages
    await coroutine
    await task


async def never_parallel():
    barrier = threading.Barrier(2)

    async def meet():
        barrier.wait(timeout=0.1)

    tasks = [asyncio.create_task(meet()) for _ in range(2)]
    await asyncio.wait(tasks)
    for task in tasks:  # the second did not come while the first waited
        assert isinstance(task.exception(), threading.BrokenBarrierError)
# ANCHOR_END: changes


# ANCHOR: errors
async def the_others_run_on():
    answered = []
    fog_lifts = asyncio.Event()

    async def read(station):
        if station == "Oslo":
            raise ConnectionError("no signal")
        if station == "Vardø":
            await fog_lifts.wait()
        answered.append(station)
        return station

    def reads():
        return map(read, ["Bergen", "Oslo", "Vardø"])

    try:
        await asyncio.gather(*reads())
        raise AssertionError("Oslo does not answer")
    except ConnectionError:
        assert answered == ["Bergen"]  # and what it read is lost
    fog_lifts.set()
    await asyncio.sleep(0)
    assert answered == ["Bergen", "Vardø"]  # nobody had stopped the third

    results = await asyncio.gather(*reads(), return_exceptions=True)
    assert [results[0], results[2]] == ["Bergen", "Vardø"]
    assert isinstance(results[1], ConnectionError)

    answered.clear()
    fog_lifts.clear()
    try:
        async with asyncio.TaskGroup() as group:
            third = [group.create_task(read) for read in reads()][2]
        raise AssertionError("Oslo does not answer")
    except* ConnectionError:
        assert answered == ["Bergen"] and third.cancelled()
# ANCHOR_END: errors


# ANCHOR: bounded
async def bounded():
    calls = peak = tasks = 0
    room = asyncio.Semaphore(100)

    async def read(station):
        nonlocal calls, peak, tasks
        tasks = max(tasks, len(asyncio.all_tasks()))
        async with room:
            calls += 1
            peak = max(peak, calls)
            await asyncio.sleep(0.01)
            calls -= 1

    await asyncio.gather(*(read(id) for id in range(1000)))
    assert peak == 100  # the calls are bounded
    assert tasks == 1001  # the tasks are not: they queue for the semaphore
# ANCHOR_END: bounded


async def main():
    await lazy_and_eager()
    await never_parallel()
    await the_others_run_on()
    await bounded()


asyncio.run(main())
