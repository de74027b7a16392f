import asyncio


async def main():
    # `Queue()` has no bound: no worker runs, and `put` never waits.
    jobs = asyncio.Queue()
    for job in range(10_000):
        await jobs.put(job)
    assert jobs.qsize() == 10_000

    # ANCHOR: consumer
    # The exception stays in its task. `join` waits for a job that no worker
    # will finish.
    jobs = asyncio.Queue(maxsize=8)

    async def failing_worker():
        while True:
            await jobs.get()
            raise RuntimeError("a comma in the address")

    worker = asyncio.create_task(failing_worker())
    await jobs.put(1)
    try:
        await asyncio.wait_for(jobs.join(), 0.1)
        raise AssertionError("join returned")
    except TimeoutError:
        assert isinstance(worker.exception(), RuntimeError)
    # ANCHOR_END: consumer

    # ANCHOR: producer
    # An exception of the producer leaves the worker behind, waiting.
    jobs = asyncio.Queue(maxsize=8)

    async def waiting_worker():
        while True:
            await jobs.get()
            jobs.task_done()

    async def failing_producer():
        await jobs.put(1)
        raise RuntimeError("no parcels")

    async def run():
        worker = asyncio.create_task(waiting_worker(), name="worker")
        await asyncio.create_task(failing_producer())
        await jobs.join()
        worker.cancel()

    try:
        await run()
        raise AssertionError("the producer did not fail")
    except RuntimeError:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert [task.get_name() for task in left] == ["worker"]
    left.pop().cancel()

    # A group that holds both cancels the worker.
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(waiting_worker())
            group.create_task(failing_producer())
        raise AssertionError("the producer did not fail")
    except* RuntimeError:
        assert asyncio.all_tasks() == {asyncio.current_task()}
    # ANCHOR_END: producer


asyncio.run(main())
