import asyncio


# ANCHOR: callback
async def main():
    loop, called = asyncio.get_running_loop(), []

    def callback(parcel):
        called.append(parcel)
        raise ValueError("no address")  # goes to the loop's handler

    errors = []
    loop.set_exception_handler(lambda _, context: errors.append(context))
    loop.call_later(0, callback, 7)
    handle = loop.call_later(0, callback, 8)
    handle.cancel()
    await asyncio.sleep(0.01)
    assert called == [7] and len(errors) == 1
# ANCHOR_END: callback


asyncio.run(main())
