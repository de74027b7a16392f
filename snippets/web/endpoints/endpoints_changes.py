import asyncio

import httpx
import uvicorn
from fastapi import FastAPI, HTTPException

app = FastAPI()
started, ended = asyncio.Event(), asyncio.Event()
released = asyncio.Event()


async def fetch(id):
    if id == 13:
        raise HTTPException(404, "no such parcel")
    raise LookupError(f"http://carrier.internal/parcels/{id}?key=k3y")


# ANCHOR: broad
@app.get("/parcels/{id}")
async def parcel(id: int):
    try:
        return await fetch(id)  # raises HTTPException(404, "no such parcel")
    except Exception as error:
        raise HTTPException(500, str(error))  # 500, "404: no such parcel"
# ANCHOR_END: broad


async def broad(client):
    response = await client.get("/parcels/13")
    assert response.status_code == 500
    assert response.json() == {"detail": "404: no such parcel"}
    response = await client.get("/parcels/7")
    assert "key=k3y" in response.json()["detail"]


# ANCHOR: slow
@app.get("/slow")
async def slow():
    started.set()
    await released.wait()  # the client leaves here
    ended.set()  # and the handler runs on
# ANCHOR_END: slow


@app.get("/bug")
async def bug():
    raise KeyError("a bug")


async def changes(client, address):
    # An exception that is not handled is a 500.
    response = await client.get("/bug")
    assert response.status_code == 500
    assert response.text == "Internal Server Error"

    # A client leaves, or only closes its sending half: its handler runs on.
    # uvicorn closes the connection of both, without a response.
    for leave in [True, False]:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")
        await started.wait()
        if leave:
            writer.close()
        else:
            writer.write_eof()
            assert await reader.read() == b""
        released.set()
        await ended.wait()
        writer.close()
        for event in [started, released, ended]:
            event.clear()


async def main():
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    address = server.servers[0].sockets[0].getsockname()
    url = f"http://127.0.0.1:{address[1]}"
    async with asyncio.timeout(30), httpx.AsyncClient(base_url=url) as client:
        await broad(client)
        await changes(client, address)
        assert httpx.AsyncClient().timeout == httpx.Timeout(5)
    server.should_exit = True
    await serving


asyncio.run(main())
