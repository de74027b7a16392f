import asyncio
import threading


class Carrier:
    """Tracks parcels: 404 fails, and 99 takes until `release` is set."""

    def __init__(self):
        self.tracked = []
        self.release = asyncio.Event()

    async def track(self, parcel):
        if parcel == 404:
            raise ConnectionError("404 Not Found")
        if parcel == 99:
            await self.release.wait()
        self.tracked.append(parcel)
        return parcel


async def main():
    # ANCHOR: gather
    # The first error is raised. The others run on, and their results are lost.
    carrier = Carrier()
    try:
        await asyncio.gather(*map(carrier.track, [7, 404, 99]))
        raise AssertionError("404 has not failed")
    except ConnectionError:
        assert carrier.tracked == [7]
    carrier.release.set()
    await asyncio.sleep(0)
    assert carrier.tracked == [7, 99]

    # Results and errors have the order of the arguments.
    calls = map(carrier.track, [99, 404, 7])
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert (results[0], results[2]) == (99, 7)
    assert isinstance(results[1], ConnectionError)

    # It is the cancellation of the caller that cancels the others.
    carrier = Carrier()
    try:
        async with asyncio.timeout(0.01):
            await asyncio.gather(*map(carrier.track, [7, 99]))
        raise AssertionError("99 has ended")
    except TimeoutError:
        carrier.release.set()
        await asyncio.sleep(0)
        assert carrier.tracked == [7]
    # ANCHOR_END: gather

    # A task that was cancelled is an error in its place.
    task = asyncio.create_task(asyncio.sleep(60))
    task.cancel()
    results = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)

    # A semaphore within the calls limits the calls, and not the tasks.
    calls = peak = tasks = 0
    semaphore = asyncio.Semaphore(100)

    async def track(parcel):
        nonlocal calls, peak, tasks
        tasks = max(tasks, len(asyncio.all_tasks()))
        async with semaphore:
            calls += 1
            peak = max(peak, calls)
            await asyncio.sleep(0.01)
            calls -= 1

    await asyncio.gather(*map(track, range(1000)))
    assert (peak, tasks) == (100, 1001)

    # A coroutine starts when it is awaited, and a task by itself.
    carrier = Carrier()
    coroutine = carrier.track(7)
    await asyncio.sleep(0)
    assert carrier.tracked == []
    task = asyncio.create_task(carrier.track(8))
    await asyncio.sleep(0)
    assert carrier.tracked == [8]
    await coroutine
    await task

    # Tasks do not run in parallel: the second does not come.
    barrier = threading.Barrier(2)

    async def meet():
        barrier.wait(timeout=0.1)

    tasks = [asyncio.create_task(meet()) for _ in range(2)]
    await asyncio.wait(tasks)
    for task in tasks:
        assert isinstance(task.exception(), threading.BrokenBarrierError)


asyncio.run(main())
