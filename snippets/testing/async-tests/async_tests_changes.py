import asyncio
import contextlib
import io
from unittest.mock import AsyncMock, patch

import pytest


# ANCHOR: results
async def request(parcel):
    return {"parcel": parcel, "success": True}


async def at_once(parcels):
    return await asyncio.gather(*map(request, parcels))


async def one_by_one(parcels):
    return [await request(parcel) for parcel in parcels]


@pytest.mark.asyncio
@pytest.mark.parametrize("track_all", [at_once, one_by_one])
async def test_concurrent_operations(track_all):
    results = await track_all(range(5))
    assert len(results) == 5
    assert all(result["success"] for result in results)
# ANCHOR_END: results


# ANCHOR: changes
@pytest.mark.asyncio
async def test_seven_seconds_are_within_five():
    with patch("asyncio.sleep", AsyncMock()):
        async with asyncio.timeout(5):
            for wait in (1, 2, 4):
                await asyncio.sleep(wait)
# ANCHOR_END: changes


@pytest.mark.asyncio
async def test_a_failure_in_a_task_is_lost():
    async def check(events):
        assert events == 3

    task = asyncio.create_task(check(2))
    await asyncio.sleep(0)
    assert isinstance(task.exception(), AssertionError)


@pytest.mark.asyncio
async def test_a_task_is_left():
    asyncio.create_task(asyncio.sleep(60))


OPTIONS = [
    "--override-ini=asyncio_default_fixture_loop_scope=function",
    "-pno:cacheprovider",
]

if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()) as report:
        ended = pytest.main([__file__, *OPTIONS])
    assert ended == 0 and "5 passed" in report.getvalue(), report.getvalue()
