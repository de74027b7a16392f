# ANCHOR: keep
import asyncio
import functools
from time import perf_counter
from typing import Protocol


# ANCHOR: carrier
class Carrier(Protocol):
    """The methods that each carrier has."""

    async def track(self, parcel): ...
# ANCHOR_END: carrier


# ANCHOR: timed
def timed(function):
    """Returns the function's result, and how long it took."""
    @functools.wraps(function)
    async def wrapper(*args, **kwargs):
        start = perf_counter()
        result = await function(*args, **kwargs)
        return result, perf_counter() - start
    return wrapper
# ANCHOR_END: timed


# ANCHOR: retry
def retry(attempts, pause):
    """Calls a function until it succeeds, up to `attempts` times."""
    def decorate(function):
        @functools.wraps(function)
        async def wrapper(*args, **kwargs):
            for _ in range(1, attempts):
                try:
                    return await function(*args, **kwargs)
                except Exception:
                    await asyncio.sleep(pause)
            return await function(*args, **kwargs)
        return wrapper
    return decorate
# ANCHOR_END: retry


class Handlers:
    """A handler for each kind of event."""

    def __init__(self, timeout):
        self.handlers = {}
        self.timeout = timeout

    # ANCHOR: on
    def on(self, kind):
        def decorate(handler):
            self.handlers[kind] = handler
            return handler
        return decorate
    # ANCHOR_END: on

    # ANCHOR: handle
    async def handle(self, kind, parcel):
        handler = self.handlers.get(kind)
        if handler is None:
            raise LookupError("no handler")
        async with asyncio.timeout(self.timeout):
            await handler(parcel)
    # ANCHOR_END: handle
# ANCHOR_END: keep


class FakeCarrier:
    def __init__(self, failures):
        self.failures = failures
        self.requests = 0

    async def track(self, parcel):
        self.requests += 1
        await asyncio.sleep(0.01)
        if self.requests <= self.failures:
            raise OSError(f"503 in request {self.requests}")
        return f"parcel {parcel} is delivered"


# ANCHOR: call
def register(handlers, carrier, statuses):
    @timed
    @retry(attempts=3, pause=1)
    async def track(parcel):
        return await carrier.track(parcel)

    @handlers.on("delivered")
    async def delivered(parcel):
        statuses.append(await track(parcel))
# ANCHOR_END: call


async def fails(awaitable):
    try:
        await awaitable
    except Exception as error:
        return repr(error)
    raise AssertionError("an error")


async def main():
    statuses, carrier = [], FakeCarrier(2)
    # ANCHOR: called
    handlers = Handlers(timeout=10)
    register(handlers, carrier, statuses)
    await handlers.handle("delivered", 7)
    # ANCHOR_END: called
    handlers.timeout = 0.5
    status, seconds = statuses[0]
    assert status == "parcel 7 is delivered"
    assert seconds > 2  # three requests, two pauses
    assert carrier.requests == 3

    for attempts, requests in [(0, 1), (1, 1), (3, 3)]:
        carrier = FakeCarrier(9)
        track = timed(retry(attempts, 0)(carrier.track))
        assert track.__name__ == "track"
        error = await fails(track(parcel=7))
        assert error == f"OSError('503 in request {requests}')"
        assert carrier.requests == requests

    @handlers.on("silent")
    async def silent(_):
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("silent")

    @handlers.on("fails")
    async def no_parcel(parcel):
        raise ValueError(f"no parcel {parcel}")

    @handlers.on("replaced")
    async def old(_):
        raise AssertionError("it is replaced")

    @handlers.on("replaced")
    async def new(parcel):
        ended.append(parcel)

    ended = []
    assert no_parcel is not None and timed(silent).__name__ == "silent"
    handle = handlers.handle
    assert await fails(handle("fails", 7)) == "ValueError('no parcel 7')"
    assert await fails(handle("unknown", 7)) == "LookupError('no handler')"
    await handle("replaced", 7)
    assert ended == [7]
    assert await fails(handle("silent", 7)) == "TimeoutError()"
    call = asyncio.create_task(handle("silent", 7))
    await asyncio.sleep(0)
    call.cancel()
    await asyncio.wait([call])
    assert call.cancelled() and ended == [7, "silent", "silent"]


asyncio.run(main())
