import asyncio
import gc


# ANCHOR: changes
async def keep():
    raise LookupError("no oil")


async def main():
    heard = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: heard.append(context))

    # Whoever holds the task and does not look, hears nothing.
    keeper = asyncio.create_task(keep())
    await asyncio.wait([keeper])
    gc.collect()
    assert heard == []

    # asyncio complains when the last reference goes, and not before.
    del keeper
    gc.collect()
    assert [str(c["exception"]) for c in heard] == ["no oil"]
    assert heard[0]["message"] == "Task exception was never retrieved"

    # A callback can look, as nothing in tokio does by itself.
    ended = []
    keeper = asyncio.create_task(keep())
    keeper.add_done_callback(lambda task: ended.append(task.exception()))
    await asyncio.wait([keeper])
    await asyncio.sleep(0)
    assert isinstance(ended[0], LookupError)
# ANCHOR_END: changes


asyncio.run(main())
