import asyncio


# ANCHOR: changes
async def main():
    # A permit that is given back twice makes room for one more. A Rust permit
    # is a guard, and is dropped once.
    bays = asyncio.Semaphore(1)
    await bays.acquire()
    bays.release()
    bays.release()
    await bays.acquire()
    await bays.acquire()
    assert bays.locked()  # two cars, and one bay

    # BoundedSemaphore finds that mistake.
    bays = asyncio.BoundedSemaphore(1)
    async with bays:
        pass
    try:
        bays.release()
        raise AssertionError("one too many")
    except ValueError:
        pass

    # A limit of 0 hangs in both languages.
    bays = asyncio.Semaphore(0)
    try:
        await asyncio.wait_for(bays.acquire(), timeout=0.001)
        raise AssertionError("there is no bay")
    except TimeoutError:
        pass

    # gather makes all the tasks at once; the semaphore bounds the work only.
    bays, waiting = asyncio.Semaphore(3), []

    async def wash():
        waiting.append(len(asyncio.all_tasks()))
        async with bays:
            await asyncio.sleep(0)

    await asyncio.gather(*(wash() for _ in range(100)))
    assert max(waiting) == 101
# ANCHOR_END: changes


asyncio.run(main())
