import asyncio
import threading
import time


async def track(seconds=0):
    await asyncio.sleep(seconds)
    return "in transit"


# ANCHOR: running
async def page():
    call = track()
    try:
        asyncio.run(call)
        raise AssertionError("it has run")
    except RuntimeError as error:
        assert "from a running event loop" in str(error)
    call.close()
# ANCHOR_END: running


asyncio.run(page())


async def until_complete():
    call = track()
    try:
        asyncio.get_running_loop().run_until_complete(call)
        raise AssertionError("it has run")
    except RuntimeError as error:
        assert str(error) == "This event loop is already running"
    other = asyncio.new_event_loop()
    try:
        other.run_until_complete(call)
        raise AssertionError("it has run")
    except RuntimeError as error:
        assert str(error).startswith("Cannot run the event loop while another")
    call.close()
    other.close()


asyncio.run(until_complete())


# ANCHOR: own
async def blocks_its_own_loop():
    loop = asyncio.get_running_loop()
    future = asyncio.run_coroutine_threadsafe(track(), loop)
    try:
        future.result(0.1)  # without a timeout it never returns
    except TimeoutError:
        pass
    assert await asyncio.wrap_future(future) == "in transit"
# ANCHOR_END: own


asyncio.run(blocks_its_own_loop())
loop = asyncio.new_event_loop()
thread = threading.Thread(target=loop.run_forever)
thread.start()
# ANCHOR: timeout
future = asyncio.run_coroutine_threadsafe(track(3600), loop)
try:
    future.result(0.1)
except TimeoutError:
    assert not future.done()  # it runs on, until `future.cancel()`
# ANCHOR_END: timeout
else:
    raise AssertionError("it has ended")
assert future.cancel()
asyncio.run_coroutine_threadsafe(track(0.01), loop).result()  # it has ended
loop.call_soon_threadsafe(loop.stop)
thread.join()
loop.close()


# ANCHOR: thread
async def gives_up():
    ended = threading.Event()

    def job():
        time.sleep(0.2)
        ended.set()

    try:
        await asyncio.wait_for(asyncio.to_thread(job), 0.01)
    except TimeoutError:
        assert not ended.is_set()  # it runs on
    return ended


assert asyncio.run(gives_up()).is_set()  # `run` waits for it at its end
# ANCHOR_END: thread
