import contextlib
import io

# ANCHOR: all
import asyncio

import pytest


# ANCHOR: notify
async def notify_all(notifier, parcels, timeout):
    """Returns the parcels whose notification may not have been sent."""
    failed = []
    for parcel in parcels:
        try:
            async with asyncio.timeout(timeout):
                await notifier.send(parcel)
        except (ConnectionError, TimeoutError):
            failed.append(parcel)
    return failed
# ANCHOR_END: notify


# ANCHOR: fake
class FakeNotifier:
    """Keeps what it has sent. Some calls have a fault."""

    def __init__(self, faults):
        self.faults = faults
        self.calls = 0
        self.sent = []
# ANCHOR_END: fake

    # ANCHOR: send
    async def send(self, parcel):
        fault = self.faults.get(self.calls)
        self.calls += 1
        await asyncio.sleep(0)
        if fault == "refused":
            raise ConnectionError("503 Service Unavailable")
        self.sent.append(parcel)
        if fault == "response lost":
            raise ConnectionResetError("connection reset by peer")
        if fault == "silent":
            await asyncio.Event().wait()
    # ANCHOR_END: send


# ANCHOR: test
@pytest.mark.asyncio
async def test_a_failure_does_not_stop_the_others():
    notifier = FakeNotifier({1: "refused"})
    assert await notify_all(notifier, [7, 8, 9], timeout=5) == [8]
    assert notifier.sent == [7, 9]
# ANCHOR_END: test
# ANCHOR_END: all


@pytest.mark.asyncio
async def test_a_response_is_lost():
    notifier = FakeNotifier({1: "response lost"})
    assert await notify_all(notifier, [7, 8, 9], timeout=5) == [8]
    assert notifier.sent == [7, 8, 9]


@pytest.mark.asyncio
async def test_a_notifier_is_silent():
    notifier = FakeNotifier({1: "silent"})
    assert await notify_all(notifier, [7, 8, 9], timeout=0.01) == [8]
    assert notifier.sent == [7, 8, 9]


@pytest.mark.asyncio
async def test_calls_overlap():
    notifier = FakeNotifier({})
    both = asyncio.gather(notifier.send(7), notifier.send(8))
    await asyncio.sleep(0)
    assert (notifier.calls, notifier.sent) == (2, [])
    await both


OPTIONS = [
    "--override-ini=asyncio_default_fixture_loop_scope=function",
    "-pno:cacheprovider",
]

if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()) as report:
        ended = pytest.main([__file__, *OPTIONS])
    assert ended == 0 and "4 passed" in report.getvalue(), report.getvalue()
