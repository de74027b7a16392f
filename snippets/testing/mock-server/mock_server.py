import contextlib
import io

# ANCHOR: tests
import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer


async def book(session, seat):
    """The key lets the office see that it is the same booking once more."""
    key = {"Idempotency-Key": seat}
    for attempt in (1, 2):
        # ANCHOR: post
        order = session.post("/bookings", json={"seat": seat}, headers=key)
        # ANCHOR_END: post
        async with order as answer:
            # ANCHOR: retry
            if answer.status >= 500 and attempt == 1:
                continue
            # ANCHOR_END: retry
            # ANCHOR: answer
            answer.raise_for_status()
            return await answer.json()
            # ANCHOR_END: answer


@pytest.mark.asyncio
async def test_after_a_500_it_asks_again():
    # ANCHOR: office
    asked = []

    async def sell(request):
        key = request.headers["Idempotency-Key"]
        asked.append((key, await request.json()))
        if len(asked) == 1:
            raise web.HTTPInternalServerError
        return web.json_response({"row": 4}, status=201)

    app = web.Application()
    app.add_routes([web.post("/bookings", sell)])
    # ANCHOR_END: office
    # ANCHOR: book
    async with TestServer(app) as office:
        async with ClientSession(office.make_url("/")) as session:
            assert await book(session, "D7") == {"row": 4}
    # ANCHOR_END: book
    assert asked == [("D7", {"seat": "D7"})] * 2
# ANCHOR_END: tests


OPTIONS = [
    "--override-ini=asyncio_default_fixture_loop_scope=function",
    "-pno:cacheprovider",
]

if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()) as report:
        ended = pytest.main([__file__, *OPTIONS])
    assert ended == 0 and "1 passed" in report.getvalue(), report.getvalue()
