import asyncio
import functools
import inspect


# ANCHOR: not_async
async def a_decorator_without_an_await_measures_nothing():
    async def track():
        await asyncio.sleep(0.01)

    def timed(function):
        @functools.wraps(function)
        def wrapper(*args):  # not async
            start = asyncio.get_running_loop().time()
            result = function(*args)
            times.append(asyncio.get_running_loop().time() - start)
            return result
        return wrapper

    times = []
    await timed(track)()  # works
    assert times[0] < 0.01
# ANCHOR_END: not_async


# ANCHOR: twice
async def a_coroutine_can_be_awaited_once():
    async def track():
        return "delivered"

    request = track()
    assert await request == "delivered"
    try:
        await request
        raise AssertionError("it has ended")
    except RuntimeError as error:
        assert "already awaited" in str(error)
# ANCHOR_END: twice


# ANCHOR: late
async def a_function_that_is_not_async_is_found_late():
    def notify():
        sent.append("a notification")

    sent = []
    assert not inspect.iscoroutinefunction(notify)
    try:
        await notify()
        raise AssertionError("there is nothing to await")
    except TypeError:
        assert sent == ["a notification"]
# ANCHOR_END: late


# ANCHOR: name
async def a_closure_holds_the_name_and_not_the_value():
    async def track(parcel):
        return parcel

    handlers = [lambda: track(parcel) for parcel in range(3)]
    assert [await handler() for handler in handlers] == [2, 2, 2]
# ANCHOR_END: name


async def main():
    await a_decorator_without_an_await_measures_nothing()
    await a_coroutine_can_be_awaited_once()
    await a_function_that_is_not_async_is_found_late()
    await a_closure_holds_the_name_and_not_the_value()


asyncio.run(main())
