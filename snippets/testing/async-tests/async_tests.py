import contextlib
import io

# ANCHOR: all
import asyncio
from unittest.mock import AsyncMock, call, patch

import pytest


# ANCHOR: track
async def track(request):
    """Sends a request. If it fails, sends it again after 1, 2 and 4 s."""
    for wait in (1, 2, 4):
        try:
            return await request()
        except ConnectionError:
            await asyncio.sleep(wait)
    return await request()
# ANCHOR_END: track


# ANCHOR: track_all
async def track_all(request, parcels):
    """Runs three requests at a time."""
    permits = asyncio.Semaphore(3)

    async def limited(parcel):
        async with permits:
            return await request(parcel)

    return await asyncio.gather(*map(limited, parcels))
# ANCHOR_END: track_all


# ANCHOR: returned
@pytest.mark.asyncio
async def test_it_returns_the_number_of_events():
    assert await track(AsyncMock(return_value=3)) == 3
# ANCHOR_END: returned


# ANCHOR: waits
@pytest.mark.asyncio
async def test_it_retries_after_1_2_and_4_seconds():
    request = AsyncMock(side_effect=ConnectionError)
    with patch("asyncio.sleep", AsyncMock()) as sleep:
        with pytest.raises(ConnectionError):
            await track(request)
    assert request.await_count == 4
    assert sleep.await_args_list == [call(1), call(2), call(4)]
# ANCHOR_END: waits


# ANCHOR: concurrent
@pytest.mark.asyncio
async def test_three_requests_run_at_a_time():
    running = peak = 0

    async def request(parcel):
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(0.01)
        running -= 1
        return parcel * 10

    results = await track_all(request, [7, 8, 9, 13, 14])
    assert results == [70, 80, 90, 130, 140]
    assert peak == 3
# ANCHOR_END: concurrent
# ANCHOR_END: all


OPTIONS = [
    "--override-ini=asyncio_default_fixture_loop_scope=function",
    "-pno:cacheprovider",
]

if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()) as report:
        ended = pytest.main([__file__, *OPTIONS])
    assert ended == 0 and "3 passed" in report.getvalue(), report.getvalue()
