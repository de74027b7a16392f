import asyncio


async def track(reply):
    await asyncio.sleep(0)
    if reply == "404 Not Found":
        raise LookupError(reply)
    await reply.wait()
    return "in transit"


async def main():
    event = asyncio.Event()
    # ANCHOR: first
    tasks = [
        asyncio.create_task(track(reply)) for reply in ["404 Not Found", event]
    ]
    done, pending = await asyncio.wait(
        tasks, return_when=asyncio.FIRST_COMPLETED
    )
    assert isinstance(done.pop().exception(), LookupError)  # not a success

    (other,) = pending
    assert not other.done()  # it runs on
    # ANCHOR_END: first
    event.set()
    assert await other == "in transit"

    # The losers of `as_completed`, too.
    event.clear()
    tasks = [asyncio.create_task(track(event)) for _ in range(2)]
    asyncio.get_running_loop().call_soon(tasks[0].cancel)
    for end in asyncio.as_completed(tasks):
        try:
            await end
        except asyncio.CancelledError:
            break
    assert not tasks[1].done()
    event.set()
    assert await tasks[1] == "in transit"


asyncio.run(main())
