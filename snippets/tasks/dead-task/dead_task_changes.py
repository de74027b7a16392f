import asyncio
import gc


async def store_events():
    raise OSError("disk full")


# ANCHOR: never
async def never_retrieved():
    messages = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, c: messages.append(c["message"]))
    task = asyncio.create_task(store_events())
    await asyncio.wait([task])
    gc.collect()
    assert messages == []  # as long as something refers to the task
    del task
    gc.collect()
    assert messages == ["Task exception was never retrieved"]
# ANCHOR_END: never


# ANCHOR: callback
async def calls_back():
    errors = []
    task = asyncio.create_task(store_events())
    task.add_done_callback(lambda task: errors.append(task.exception()))
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert [str(error) for error in errors] == ["disk full"]
# ANCHOR_END: callback


async def main():
    await never_retrieved()
    await calls_back()


asyncio.run(main())
