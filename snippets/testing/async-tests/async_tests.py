import contextlib
import io

# ANCHOR: tests
import asyncio
from unittest.mock import AsyncMock, call, patch

import pytest


# ANCHOR: listen
async def listen(satellite):
    for pause in (1, 2, 4):
        try:
            return await satellite()
        except ConnectionError:
            await asyncio.sleep(pause)
    return await satellite()
# ANCHOR_END: listen


# ANCHOR: answer
@pytest.mark.asyncio
async def test_an_answer_is_returned():
    assert await listen(AsyncMock(return_value=550)) == 550
# ANCHOR_END: answer


# ANCHOR: exact
@pytest.mark.asyncio
async def test_it_calls_again_after_1_2_and_4_seconds():
    satellite = AsyncMock(side_effect=ConnectionError("no signal"))
    with patch("asyncio.sleep", AsyncMock()) as sleep:
        with pytest.raises(ConnectionError):
            await listen(satellite)
    assert satellite.await_count == 4
    assert sleep.await_args_list == [call(1), call(2), call(4)]
# ANCHOR_END: exact
# ANCHOR_END: tests


OPTIONS = [
    "--override-ini=asyncio_default_fixture_loop_scope=function",
    "-pno:cacheprovider",
]

if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()) as report:
        ended = pytest.main([__file__, *OPTIONS])
    assert ended == 0 and "2 passed" in report.getvalue(), report.getvalue()
