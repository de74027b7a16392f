import asyncio
from unittest.mock import AsyncMock, MagicMock

import pytest
from aiohttp import ClientResponseError, ClientSession, web
from aiohttp.test_utils import TestServer


# ANCHOR: changes
async def buy(session, parcel):
    # The path is /labels, and the carrier reads "parcel".
    async with session.post("/label", json={"parcle": parcel}) as response:
        response.raise_for_status()
        return await response.json()


async def a_mocked_session_accepts_everything():
    response = MagicMock(status=500, json=AsyncMock(return_value={"number": 1}))
    session = MagicMock(ClientSession)
    session.post.return_value.__aenter__.return_value = response
    assert await buy(session, 7) == {"number": 1}


async def a_real_server_does_not():
    async def label(request):
        return web.json_response({"number": 1}, status=201)

    app = web.Application()
    app.add_routes([web.post("/labels", label)])
    async with TestServer(app) as carrier:
        async with ClientSession(carrier.make_url("/")) as session:
            with pytest.raises(ClientResponseError) as error:
                await buy(session, 7)
    assert error.value.status == 404
# ANCHOR_END: changes


async def main():
    await a_mocked_session_accepts_everything()
    await a_real_server_does_not()


asyncio.run(main())
