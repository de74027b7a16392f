import asyncio


async def main():
    # ANCHOR: join
    async def count():
        shelf = asyncio.create_task(asyncio.Event().wait())
        asyncio.get_running_loop().call_soon(shelf.cancel)
        await shelf  # raises what a cancellation of `count` would raise

    counting = asyncio.create_task(count())
    await asyncio.wait([counting])
    assert counting.cancelled()  # and nobody has cancelled it
    # ANCHOR_END: join


asyncio.run(main())
