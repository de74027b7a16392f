# ANCHOR: endpoint
import asyncio
from typing import Annotated

import httpx
from aiohttp import web
from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel, ValidationError

# ANCHOR: router
app = FastAPI()
# ANCHOR_END: router


# ANCHOR: book
class Book(BaseModel):
    title: str
    copies: int
# ANCHOR_END: book


# ANCHOR: state
def warehouse(request: Request):
    return request.app.state.warehouse


Warehouse = Annotated[httpx.AsyncClient, Depends(warehouse)]
# ANCHOR_END: state


# ANCHOR: signature
@app.get("/books/{id}")
async def book(id: int, client: Warehouse) -> Book:
# ANCHOR_END: signature
    try:
        # ANCHOR: ask
        async with asyncio.timeout(app.state.limit):
            response = await client.get(f"/books/{id}")
        response.raise_for_status()
        return Book.model_validate_json(response.content)
        # ANCHOR_END: ask
    # ANCHOR: error
    except (TimeoutError, httpx.TimeoutException) as error:
        raise HTTPException(504, "the warehouse is slow") from error
    except httpx.HTTPStatusError as error:
        if error.response.status_code == 404:
            raise HTTPException(404, "no such book") from error
        raise HTTPException(502, "the warehouse has failed") from error
    except (httpx.TransportError, ValidationError) as error:
        raise HTTPException(502, "the warehouse has failed") from error
    # ANCHOR_END: error
# ANCHOR_END: endpoint


async def main():
    runner, url = await start_warehouse()
    shop = httpx.ASGITransport(app)
    async with (
        httpx.AsyncClient(base_url=url) as app.state.warehouse,
        httpx.AsyncClient(transport=shop, base_url="http://shop") as client,
    ):
        app.state.limit = 9
        answer = await client.get("/books/200")
        assert answer.json() == {"title": "Emma", "copies": 3}
        for id, status in [(404, 404), (500, 502), (1, 502), (2, 502)]:
            answer = await client.get(f"/books/{id}")
            assert answer.status_code == status, (id, answer.text)
        assert (await client.get("/books/emma")).status_code == 422
        app.state.limit = 0.1
        assert (await client.get("/books/3")).status_code == 504
    await runner.cleanup()


async def start_warehouse():
    async def stock(request):
        match int(request.match_info["id"]):
            case 1:
                return web.Response(text="<h1>Emma</h1>")
            case 2:
                request.transport.abort()
                return web.Response()
            case 3:
                await asyncio.Event().wait()
            case status:
                book = {"title": "Emma", "copies": 3}
                return web.json_response(book, status=status)

    service = web.Application()
    service.add_routes([web.get("/books/{id}", stock)])
    runner = web.AppRunner(service, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, "http://127.0.0.1:%d" % runner.addresses[0][1]


asyncio.run(main())
