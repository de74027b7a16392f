import asyncio

import aiohttp
import httpx
from aiohttp import web
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, PositiveInt

app = FastAPI()


# ANCHOR: recipe
@app.get("/books/{id}")
async def book(id: int):
    try:
        async with aiohttp.ClientSession() as session:
            url = f"{app.state.warehouse}/books/{id}"
            async with session.get(url) as response:
                if response.status == 200:
                    return await response.json()
                raise HTTPException(404, "Item not found")
    except Exception as error:
        raise HTTPException(500, str(error))


async def recipe(client, warehouse):
    # An HTTPException is an Exception: no status survives.
    app.state.warehouse = f"http://{warehouse}"
    for status in (404, 401, 429, 500, 503):
        answer = await client.get(f"/books/{status}")
        assert answer.status_code == 500
        assert answer.json() == {"detail": "404: Item not found"}

    # The text of an error names the machine behind the shop.
    gone = "127.0.0.1:1"
    app.state.warehouse = f"http://{gone}"
    answer = await client.get("/books/7")
    assert answer.status_code == 500
    assert gone in answer.json()["detail"]
# ANCHOR_END: recipe


class Order(BaseModel):
    copies: PositiveInt


@app.post("/books/{id}/orders")
async def order(id: int, order: Order):
    assert order.copies < 3, "a bug"
    return order


# ANCHOR: changes
async def changes(client):
    orders = "/books/7/orders"
    json = {"Content-Type": "application/json"}

    # Syntax, path and fields: all one status. A string is good enough.
    for url, body, status in [
        (orders, '{ "copies": 2 }', 200),
        (orders, '{ "copies": "2" }', 200),
        (orders, '{ "copies": 0 }', 422),
        (orders, "{ copies: 2 }", 422),
        ("/books/emma/orders", '{ "copies": 2 }', 422),
    ]:
        answer = await client.post(url, content=body, headers=json)
        assert answer.status_code == status

    # Five seconds for each read; there may be any number of reads.
    assert httpx.AsyncClient().timeout == httpx.Timeout(5)

    # Whatever is raised and not handled is a 500.
    answer = await client.post(orders, json={"copies": 3})
    assert answer.status_code == 500
# ANCHOR_END: changes


async def main():
    async def stock(request):
        return web.json_response({}, status=int(request.match_info["id"]))

    service = web.Application()
    service.add_routes([web.get("/books/{id}", stock)])
    runner = web.AppRunner(service)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    shop = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=shop, base_url="http://shop"
    ) as client:
        await recipe(client, "127.0.0.1:%d" % runner.addresses[0][1])
        await changes(client)
    await runner.cleanup()


asyncio.run(main())
