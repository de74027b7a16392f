import asyncio


# ANCHOR: relay
async def relay(scans, look_up, events, questions):
    async def pass_one():
        scan = await scans.get()
        if scan is not None:
            await events.put(await look_up(scan))
        return scan is not None

    passed = 0
    passing = asyncio.create_task(pass_one())
    question = asyncio.create_task(questions.get())
    try:
        while True:
            await asyncio.wait(
                [passing, question], return_when=asyncio.FIRST_COMPLETED
            )
            if question.done():
                question.result().set_result(passed)
                question = asyncio.create_task(questions.get())
            if passing.done():
                if not passing.result():
                    return passed
                passed += 1
                passing = asyncio.create_task(pass_one())
    finally:
        passing.cancel()
        question.cancel()
# ANCHOR_END: relay


# ANCHOR: wait_for
async def wait_for_loses_too():
    async def pass_one(scans, events):
        scan = await scans.get()
        await asyncio.Event().wait()  # the database is down
        await events.put(scan)

    scans, events = asyncio.Queue(), asyncio.Queue()
    scans.put_nowait("scan 7")
    try:
        await asyncio.wait_for(pass_one(scans, events), 0.01)
        raise AssertionError("it times out")
    except TimeoutError:
        assert scans.empty() and events.empty()
# ANCHOR_END: wait_for


# ANCHOR: left
async def a_task_that_is_left_takes_one():
    scans, stop = asyncio.Queue(), asyncio.Event()
    stop.set()
    get = asyncio.create_task(scans.get())
    stopped = asyncio.create_task(stop.wait())
    done, pending = await asyncio.wait(
        [get, stopped], return_when=asyncio.FIRST_COMPLETED
    )
    assert done == {stopped} and pending == {get}

    # The loop has ended, and `get` is not cancelled.
    scans.put_nowait("scan 7")
    await asyncio.sleep(0)
    assert scans.empty() and get.result() == "scan 7"
# ANCHOR_END: left


async def relays():
    scans, questions = asyncio.Queue(), asyncio.Queue(1)
    events = asyncio.Queue(1)

    async def look_up(scan):
        await asyncio.sleep(0.01)
        return scan

    relaying = asyncio.create_task(relay(scans, look_up, events, questions))
    for scan in [1, 2, 3, 4, None]:
        scans.put_nowait(scan)
    received, answers = [], []
    for _ in range(4):
        answer = asyncio.get_running_loop().create_future()
        await questions.put(answer)
        answers.append(await answer)
        received.append(await events.get())
    assert await relaying == 4
    assert received == [1, 2, 3, 4]
    assert answers == sorted(answers) and answers[0] == 0
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == 1


async def main():
    await relays()
    await wait_for_loses_too()
    await a_task_that_is_left_takes_one()


asyncio.run(main())
