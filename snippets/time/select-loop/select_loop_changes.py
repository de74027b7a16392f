import asyncio


# ANCHOR: wait_for
async def wait_for_loses_too():
    async def pass_one(wire, line):
        telegram = await wire.get()
        await asyncio.Event().wait()  # the line is down
        await line.put(telegram)

    wire, line = asyncio.Queue(), asyncio.Queue()
    wire.put_nowait("send help")
    try:
        await asyncio.wait_for(pass_one(wire, line), 0.01)
        raise AssertionError("it times out")
    except TimeoutError:
        assert wire.empty() and line.empty()
# ANCHOR_END: wait_for


# ANCHOR: left
async def what_is_left_behind_takes_one():
    wire, closing = asyncio.Queue(), asyncio.Event()
    closing.set()
    get = asyncio.create_task(wire.get())
    stop = asyncio.create_task(closing.wait())
    done, pending = await asyncio.wait(
        [get, stop], return_when=asyncio.FIRST_COMPLETED
    )
    assert done == {stop} and pending == {get}

    # The office has closed, and nobody has cancelled `get`.
    wire.put_nowait("send help")
    await asyncio.sleep(0)
    assert wire.empty() and get.result() == "send help"
# ANCHOR_END: left


async def main():
    await wait_for_loses_too()
    await what_is_left_behind_takes_one()


asyncio.run(main())
