import asyncio
import os
from dataclasses import dataclass

import aiohttp
import httpx
import uvicorn


@dataclass
class Parcel:
    id: int
    city: str
    delivered: bool


class SlowResolver(aiohttp.ThreadedResolver):
    async def resolve(self, *args, **kwargs):
        await asyncio.sleep(0.2)
        return await super().resolve(*args, **kwargs)


async def answer(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    body = '{"error": "database is down", "city": null}'
    writer.write(
        f"HTTP/1.1 500 E\r\ncontent-length: {len(body)}\r\nconnection: close"
        f"\r\ncontent-type: application/json\r\n\r\n{body}".encode()
    )
    writer.close()


def rejected(fields):
    try:
        Parcel(**fields)
        return False
    except TypeError:
        return True


async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    url, named = f"http://{host}:{port}", f"http://localhost:{port}"

    # ANCHOR: changes
    # A dataclass checks the names of the fields, and no types.
    parcel = {"id": 7, "city": "Bergen", "delivered": False}
    assert Parcel(**parcel | {"city": None}).city is None
    assert rejected({"id": 7, "city": "Bergen"})
    assert rejected(parcel | {"eta": "today"})

    # aiohttp and httpx have a limit of 100 connections.
    assert aiohttp.TCPConnector().limit == 100
    assert httpx.AsyncHTTPTransport()._pool._max_connections == 100

    # aiohttp stops after five minutes, httpx after five seconds without data.
    assert aiohttp.client.DEFAULT_TIMEOUT.total == 300
    assert httpx.AsyncClient().timeout.read == 5

    # `sock_connect` of aiohttp does not include the name server.
    limit = aiohttp.ClientTimeout(sock_connect=0.1)
    connector = aiohttp.TCPConnector(resolver=SlowResolver())
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.get(named, timeout=limit) as response:
            assert response.status == 500

    # aiohttp ignores HTTP_PROXY by default. httpx obeys it, as reqwest does.
    os.environ["HTTP_PROXY"] = "http://127.0.0.1:1"  # nothing listens there
    os.environ.pop("NO_PROXY", None)
    os.environ.pop("no_proxy", None)
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as response:
            assert response.status == 500
    try:
        async with httpx.AsyncClient() as client:
            await client.get(url)
        raise AssertionError("it has found the server")
    except httpx.ConnectError:
        pass
    # ANCHOR_END: changes

    assert aiohttp.TCPConnector()._keepalive_timeout == 15
    assert uvicorn.Config(app=None).timeout_keep_alive == 5

    # Without raise_for_status, a 500 with a JSON body is data.
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as response:
            assert (await response.json())["city"] is None
    server.close()


asyncio.run(main())
