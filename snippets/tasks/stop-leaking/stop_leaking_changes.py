import asyncio


# ANCHOR: changes
async def water(tap, litres):
    while True:
        await tap.acquire()
        litres.append(1)


async def main():
    tap, litres = asyncio.Semaphore(0), []

    # The same leak: nobody holds the task, and it goes on.
    async def tend():
        asyncio.create_task(water(tap, litres))
        raise LookupError("greenfly")

    try:
        await tend()
        raise AssertionError("there is greenfly")
    except LookupError:
        pass
    (leaked,) = asyncio.all_tasks() - {asyncio.current_task()}
    tap.release()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert litres == [1]
    leaked.cancel()

    # wait_for cancels the task that it is given, and waits for it. timeout
    # around a JoinHandle drops the handle.
    watering = asyncio.create_task(water(tap, litres))
    try:
        await asyncio.wait_for(watering, timeout=0)
        raise AssertionError("it waters for ever")
    except TimeoutError:
        assert watering.cancelled()

    # A cancelled task is not gone at once. Await it.
    watering = asyncio.create_task(water(tap, litres))
    watering.cancel()
    assert not watering.done()
    await asyncio.wait([watering])
    assert watering.cancelled()
# ANCHOR_END: changes


asyncio.run(main())
