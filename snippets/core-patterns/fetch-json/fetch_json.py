# ANCHOR: fetch
import asyncio
from dataclasses import dataclass

import aiohttp
from aiohttp import web


# ANCHOR: parcel
@dataclass
class Parcel:
    id: int
    city: str
    delivered: bool
# ANCHOR_END: parcel


# ANCHOR: get
async def fetch_parcel(session, courier, id):
    async with session.get(f"{courier}/parcels/{id}") as response:
        response.raise_for_status()
        return Parcel(**await response.json())
# ANCHOR_END: get


async def main():
    # ANCHOR: courier
    runner, courier = await start_courier()
    # ANCHOR_END: courier
    # ANCHOR: client
    timeout = aiohttp.ClientTimeout(total=10, sock_connect=2)
    async with aiohttp.ClientSession(timeout=timeout) as session:
    # ANCHOR_END: client
        # ANCHOR: found
        parcel = await fetch_parcel(session, courier, 7)
        assert parcel == Parcel(id=7, city="Bergen", delivered=False)
        # ANCHOR_END: found
        # ANCHOR: missing
        try:
            await fetch_parcel(session, courier, 8)
            raise AssertionError("there is no parcel 8")
        except aiohttp.ClientResponseError as error:
            assert error.status == 404
        # ANCHOR_END: missing
    await runner.cleanup()
# ANCHOR_END: fetch


async def start_courier():
    async def parcel(request):
        if request.match_info["id"] != "7":
            raise web.HTTPNotFound
        parcel = {"id": 7, "city": "Bergen", "delivered": False}
        return web.json_response(parcel)

    app = web.Application()
    app.add_routes([web.get("/parcels/{id}", parcel)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner, "http://127.0.0.1:%d" % runner.addresses[0][1]


asyncio.run(main())
