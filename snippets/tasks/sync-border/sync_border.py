# ANCHOR: keep
import asyncio
import threading
from concurrent.futures import CancelledError


class RunTimeout(Exception):
    """The coroutine has not ended in time."""


class Closed(Exception):
    """The bridge is closed."""


class Bridge:
    """Runs coroutines for sync code, on a loop in a thread of its own."""

    # ANCHOR: new
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.ended = asyncio.Event()
        self.is_open, self.lock = True, threading.Lock()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(self.ended.wait())  # the runner cancels the other tasks
    # ANCHOR_END: new

    # ANCHOR: run
    def run(self, timeout, coroutine):
        """Runs a coroutine, and blocks the caller's thread until it ends."""
        if _in_async_function():
            coroutine.close()
            raise RuntimeError("run blocks its thread: await the coroutine")
        with self.lock:
            if not self.is_open:
                coroutine.close()
                raise Closed
            task = _limit(timeout, coroutine)
            future = asyncio.run_coroutine_threadsafe(task, self.loop)
        try:
            return future.result()
        except CancelledError:
            if self.is_open:
                raise  # the coroutine's own
            raise Closed from None
    # ANCHOR_END: run

    # ANCHOR: close
    def close(self):
        """Ends the loop. Open and later calls raise `Closed`."""
        with self.lock:
            if self.is_open:
                self.is_open = False
                self.loop.call_soon_threadsafe(self.ended.set)
    # ANCHOR_END: close


async def _limit(timeout, coroutine):
    try:
        async with asyncio.timeout(timeout) as limit:
            return await coroutine
    except TimeoutError:
        if limit.expired():
            raise RunTimeout from None
        raise  # the coroutine's own


def _in_async_function():
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
# ANCHOR_END: keep


# A carrier's client, and threads that call it.
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from inspect import CORO_CLOSED, getcoroutinestate
import time

LONG = 30


class Carrier:
    def __init__(self):
        self.running = self.begun = 0

    async def track(self, parcel):
        self.running += 1
        self.begun += 1
        try:
            await asyncio.sleep(0.001)
            if parcel == 0:
                await asyncio.Event().wait()
            if parcel == 1:
                time.sleep(0.1)
            if parcel == 13:
                raise LookupError("404 Not Found")
            if parcel == 21:
                await asyncio.wait_for(asyncio.Event().wait(), 0.001)
            if parcel == 23:
                raise asyncio.CancelledError
            return "in transit"
        finally:
            self.running -= 1


# ANCHOR: client
class SyncCarrier:
    def __init__(self, carrier, bridge):
        self.carrier, self.bridge = carrier, bridge

    def track(self, timeout, parcel):
        return self.bridge.run(timeout, self.carrier.track(parcel))
# ANCHOR_END: client


def error_of(function, *args):
    try:
        function(*args)
    except Exception as error:
        return type(error)
    raise AssertionError("no error")


def wait_for_none(carrier):
    deadline = time.monotonic() + LONG
    while carrier.running:
        assert time.monotonic() < deadline, "a call runs on"
        time.sleep(0.001)


def main():
    carrier = Carrier()
    # ANCHOR: call
    with closing(Bridge()) as bridge:
        client = SyncCarrier(carrier, bridge)
        status = client.track(5, 7)
    # ANCHOR_END: call
    assert status == "in transit"

    # Eight threads call at once: each coroutine waits for the other seven.
    bridge = Bridge()
    client = SyncCarrier(carrier, bridge)
    meeting = asyncio.Event()
    arrived = []

    async def meet():
        arrived.append(1)
        if len(arrived) == 8:
            meeting.set()
        return await meeting.wait()

    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(bridge.run, LONG, meet()) for _ in range(8)]
        assert all(call.result() for call in calls)

    assert error_of(client.track, LONG, 13) is LookupError
    assert error_of(client.track, 0.02, 0) is RunTimeout
    assert error_of(client.track, LONG, 21) is TimeoutError
    assert error_of(client.track, LONG, 23) is CancelledError
    wait_for_none(carrier)

    # A coroutine that blocks its thread: the timeout comes when it has ended.
    start = time.monotonic()
    assert client.track(LONG, 1) == "in transit"
    assert time.monotonic() - start >= 0.1

    begun = carrier.begun

    async def nested():
        coroutine = carrier.track(7)
        try:
            bridge.run(LONG, coroutine)
        except RuntimeError as error:
            assert getcoroutinestate(coroutine) == CORO_CLOSED
            return str(error)

    error = "run blocks its thread: await the coroutine"
    assert asyncio.run(nested()) == error
    assert carrier.begun == begun

    async def in_a_thread():
        return await asyncio.to_thread(client.track, LONG, 7)

    assert asyncio.run(in_a_thread()) == "in transit"

    # The bridge is closed while a call runs, which is silent.
    begun = carrier.begun
    with ThreadPoolExecutor() as pool:
        call = pool.submit(client.track, LONG, 0)
        while carrier.begun == begun:
            time.sleep(0.001)
        bridge.close()
        assert error_of(call.result) is Closed
    wait_for_none(carrier)
    begun = carrier.begun
    coroutine = carrier.track(7)
    assert error_of(bridge.run, LONG, coroutine) is Closed
    assert getcoroutinestate(coroutine) == CORO_CLOSED
    assert carrier.begun == begun
    bridge.close()
    Bridge()  # it is not closed, and the program ends


main()
