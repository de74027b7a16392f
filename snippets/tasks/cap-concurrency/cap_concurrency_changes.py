import asyncio


async def main():
    # ANCHOR: release
    permits = asyncio.Semaphore(1)
    await permits.acquire()
    permits.release()
    permits.release()  # once too often
    await permits.acquire()
    await permits.acquire()  # two, and the limit is 1
    # ANCHOR_END: release
    assert permits.locked()

    # BoundedSemaphore finds that mistake.
    permits = asyncio.BoundedSemaphore(1)
    async with permits:
        pass
    try:
        permits.release()
        raise AssertionError("one too many")
    except ValueError:
        pass

    # A limit of 0 hangs, too.
    permits = asyncio.Semaphore(0)
    try:
        await asyncio.wait_for(permits.acquire(), timeout=0.001)
        raise AssertionError("there is no permit")
    except TimeoutError:
        pass

    # gather makes all tasks at once; the semaphore limits only the work.
    permits, alive = asyncio.Semaphore(3), []

    async def track():
        alive.append(len(asyncio.all_tasks()))
        async with permits:
            await asyncio.sleep(0)

    await asyncio.gather(*(track() for _ in range(100)))
    assert max(alive) == 101


asyncio.run(main())
