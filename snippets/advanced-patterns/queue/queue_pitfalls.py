import asyncio


async def main():
    # ANCHOR: unbounded
    # `Queue()` has no bound: nobody cooks, and nobody notices.
    hatch = asyncio.Queue()
    for table in range(10_000):
        await hatch.put(table)
    assert hatch.qsize() == 10_000
    # ANCHOR_END: unbounded

    # ANCHOR: consumer
    # The cook's exception is kept in its task. `join` waits for an order
    # that nobody will finish.
    hatch = asyncio.Queue(maxsize=8)

    async def clumsy_cook():
        while True:
            await hatch.get()
            raise RuntimeError("the pan is on the floor")

    cook = asyncio.create_task(clumsy_cook())
    await hatch.put(1)
    try:
        await asyncio.wait_for(hatch.join(), 0.1)
        raise AssertionError("join came back")
    except TimeoutError:
        assert isinstance(cook.exception(), RuntimeError)
    # ANCHOR_END: consumer

    # ANCHOR: producer
    # The waiter's exception leaves before anyone cancels the cook.
    hatch = asyncio.Queue(maxsize=8)

    async def patient_cook():
        while True:
            await hatch.get()
            hatch.task_done()

    async def waiter():
        await hatch.put(1)
        raise RuntimeError("the waiter tripped")

    async def lunch():
        cook = asyncio.create_task(patient_cook(), name="cook")
        await asyncio.create_task(waiter())
        await hatch.join()
        cook.cancel()

    try:
        await lunch()
        raise AssertionError("the waiter did not trip")
    except RuntimeError:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert [task.get_name() for task in left] == ["cook"]
    left.pop().cancel()

    # A group that holds both cancels the cook, and says what went wrong.
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(patient_cook())
            group.create_task(waiter())
        raise AssertionError("the waiter did not trip")
    except* RuntimeError:
        assert asyncio.all_tasks() == {asyncio.current_task()}
    # ANCHOR_END: producer


asyncio.run(main())
