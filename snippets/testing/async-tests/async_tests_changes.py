import asyncio
import contextlib
import io
from unittest.mock import AsyncMock, patch

import pytest


# ANCHOR: concurrent
class Dish:
    def __init__(self):
        self.now = self.peak = 0

    async def listen(self, satellite):
        self.now += 1
        self.peak = max(self.peak, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        return {"satellite": satellite, "success": True}


async def at_once(dish):
    return await asyncio.gather(*(dish.listen(n) for n in range(5)))


async def one_by_one(dish):
    return [await dish.listen(n) for n in range(5)]


@pytest.mark.asyncio
@pytest.mark.parametrize("survey", [at_once, one_by_one])
async def test_concurrent_operations(survey):
    results = await survey(Dish())
    assert len(results) == 5
    assert all(result["success"] for result in results)


@pytest.mark.asyncio
@pytest.mark.parametrize("survey, peak", [(at_once, 5), (one_by_one, 1)])
async def test_how_many_at_once(survey, peak):
    dish = Dish()
    await survey(dish)
    assert dish.peak == peak
# ANCHOR_END: concurrent


# ANCHOR: changes
@pytest.mark.asyncio
async def test_seven_seconds_are_within_five():
    with patch("asyncio.sleep", AsyncMock()):
        async with asyncio.timeout(5):
            for pause in (1, 2, 4):
                await asyncio.sleep(pause)


@pytest.mark.asyncio
async def test_a_wrong_height_passes():
    async def check(height):
        assert height == 550

    task = asyncio.create_task(check(549))
    await asyncio.wait([task])
    assert isinstance(task.exception(), AssertionError)
# ANCHOR_END: changes


OPTIONS = [
    "--override-ini=asyncio_default_fixture_loop_scope=function",
    "-pno:cacheprovider",
]

if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()) as report:
        ended = pytest.main([__file__, *OPTIONS])
    assert ended == 0 and "6 passed" in report.getvalue(), report.getvalue()
