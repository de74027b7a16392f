import asyncio
from dataclasses import dataclass

import aiohttp
from aiohttp import web


@dataclass
class Parcel:
    city: str


async def main():
    async def parcel(request):
        body = {"city": None, "error": "database is down"}
        return web.json_response(body, status=500)

    app = web.Application()
    app.add_routes([web.get("/", parcel)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = "http://127.0.0.1:%d" % runner.addresses[0][1]

    # ANCHOR: changes
    async with aiohttp.ClientSession() as session:
        # Without raise_for_status, a 500 with a JSON body is data.
        async with session.get(url) as response:
            body = await response.json()
        assert response.status == 500

        # A dataclass does not look at what it is given.
        assert Parcel(city=body["city"]).city is None

        # Nobody asked for it: there is a limit of five minutes.
        assert session.timeout.total == 300
    # ANCHOR_END: changes
    await runner.cleanup()


asyncio.run(main())
