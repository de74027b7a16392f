import asyncio
from unittest.mock import AsyncMock, MagicMock

import pytest
from aiohttp import ClientResponseError, ClientSession, web
from aiohttp.test_utils import TestServer


# ANCHOR: changes
async def book(session, seat):
    # The path is /bookings, and the server wants a "seat".
    async with session.post("/booking", json={"set": seat}) as answer:
        answer.raise_for_status()
        return await answer.json()


async def a_mocked_session_agrees_to_everything():
    answer = MagicMock(status=500, json=AsyncMock(return_value={"row": 4}))
    session = MagicMock(ClientSession)
    session.post.return_value.__aenter__.return_value = answer
    assert await book(session, "D7") == {"row": 4}


async def a_real_server_does_not():
    async def sell(request):
        return web.json_response({"row": 4}, status=201)

    app = web.Application()
    app.add_routes([web.post("/bookings", sell)])
    async with TestServer(app) as office:
        async with ClientSession(office.make_url("/")) as session:
            with pytest.raises(ClientResponseError) as error:
                await book(session, "D7")
    assert error.value.status == 404
# ANCHOR_END: changes


async def main():
    await a_mocked_session_agrees_to_everything()
    await a_real_server_does_not()


asyncio.run(main())
