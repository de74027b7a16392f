# ANCHOR: keep
import json
from dataclasses import dataclass

import aiohttp

MAX_BODY = 1_000_000  # bytes, of the longest body that is read


# ANCHOR: parcel
@dataclass
class Parcel:
    id: int
    city: str
    delivered: bool
# ANCHOR_END: parcel


# ANCHOR: settings
def new_session():
    """Open one for the whole program: it keeps connections."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=10, sock_connect=2, sock_read=5),
        connector=aiohttp.TCPConnector(keepalive_timeout=4),
    )
# ANCHOR_END: settings


# ANCHOR: errors
class TooLong(Exception):
    """The body has more than MAX_BODY bytes."""


class Malformed(Exception):
    """The body is not a parcel."""
# ANCHOR_END: errors


# ANCHOR: fetch
async def fetch_parcel(session, carrier, id):
    """A parcel, by one GET request."""
    async with session.get(f"{carrier}/parcels/{id}") as response:
        response.raise_for_status()
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > MAX_BODY:
                raise TooLong
    try:
        return Parcel(**json.loads(body))
    except (ValueError, TypeError, RecursionError) as error:
        raise Malformed from error
# ANCHOR_END: fetch
# ANCHOR_END: keep


# A carrier that fails on purpose, and what must come of it.
import asyncio
import socket

PARCEL = {"id": 7, "city": "Bergen", "delivered": False}
BODY = json.dumps(PARCEL)
BODIES = {
    "ok": BODY,
    "longest": " " * (1_000_000 - len(BODY)) + BODY,
    "too_long": " " * (1_000_001 - len(BODY)) + BODY,
    "malformed": "<h1>Welcome</h1>",
    "list": "[]",
    "nested": "[" * 100_000,
    "unknown_field": json.dumps(PARCEL | {"eta": "today"}),
    "missing_field": json.dumps({"id": 7, "city": "Bergen"}),
}


async def answer(reader, writer, closed):
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return writer.close()
    case = head.split(b"/")[1].decode()
    if case == "silent":
        await reader.read()  # until the client closes
        closed.set()
        return writer.close()
    status = "200 OK" if case in BODIES or case == "cut" else f"{case} E"
    body = BODIES.get(case, "")
    length = len(body) + (case == "cut")
    writer.write(
        f"HTTP/1.1 {status}\r\ncontent-length: {length}\r\n"
        f"retry-after: 7\r\nconnection: close\r\n\r\n{body}".encode()
    )
    writer.close()


async def main():
    closed = asyncio.Event()
    server = await asyncio.start_server(
        lambda *streams: answer(*streams, closed), "127.0.0.1", 0
    )
    url = "http://%s:%d" % server.sockets[0].getsockname()
    carrier = f"{url}/ok"
    # ANCHOR: call
    async with new_session() as session:
        parcel = await fetch_parcel(session, carrier, 7)
    # ANCHOR_END: call
    assert parcel == Parcel(id=7, city="Bergen", delivered=False)

    # The port is taken, and nothing listens on it.
    refusing = socket.socket()
    refusing.bind(("127.0.0.1", 0))
    refused = "http://%s:%d" % refusing.getsockname()
    async with new_session() as session:
        limits = session.timeout
        assert (limits.total, limits.sock_connect) == (10, 2)
        assert limits.sock_read == 5
        assert session.connector._keepalive_timeout == 4
        assert await fetch_parcel(session, f"{url}/longest", 7) == parcel
        for carrier, expected in [
            (f"{url}/404", aiohttp.ClientResponseError),
            (f"{url}/429", aiohttp.ClientResponseError),
            (f"{url}/503", aiohttp.ClientResponseError),
            (f"{url}/cut", aiohttp.ClientPayloadError),
            (refused, aiohttp.ClientConnectorError),
            (f"{url}/malformed", Malformed),
            (f"{url}/list", Malformed),
            (f"{url}/nested", Malformed),
            (f"{url}/missing_field", Malformed),
            (f"{url}/unknown_field", Malformed),
            (f"{url}/too_long", TooLong),
        ]:
            try:
                await fetch_parcel(session, carrier, 7)
                raise AssertionError(carrier)
            except expected as error:
                if expected is aiohttp.ClientResponseError:
                    assert f"{url}/{error.status}" == carrier
                    assert error.headers["Retry-After"] == "7"
    refusing.close()

    limits = aiohttp.ClientTimeout(sock_read=0.05)
    async with aiohttp.ClientSession(timeout=limits) as session:
        try:
            await fetch_parcel(session, f"{url}/silent", 7)
            raise AssertionError("silent")
        except TimeoutError:
            await closed.wait()
    server.close()


asyncio.run(main())
