import asyncio
import socket
from unittest.mock import patch

import aiohttp

told = []
closing_fails = False


async def close():
    if closing_fails:
        raise BrokenPipeError("the carrier has closed it already")


# ANCHOR: recipe
async def quote_or_none(ask):
    try:
        return await ask()
    except asyncio.TimeoutError:
        told.append("timeout")
        return None
    except ConnectionError:
        told.append("no connection")
        return None
    except Exception as error:
        told.append(type(error).__name__)
        return None
    finally:
        await close()
# ANCHOR_END: recipe


async def main():
    global closing_fails
    with socket.create_server(("127.0.0.1", 0)) as unused:
        closed = unused.getsockname()[1]

    # ANCHOR: asserts
    async def silent():
        async with asyncio.timeout(0):
            await asyncio.Event().wait()

    async def refused():
        await asyncio.open_connection("127.0.0.1", closed)  # no server

    async def bug():
        return {"cents": 1250}["cent"]

    async def too_heavy():
        return None  # the carrier does not take it

    for ask in (silent, refused, bug, too_heavy):
        assert await quote_or_none(ask) is None
    assert told == ["timeout", "no connection", "KeyError"]
    # ANCHOR_END: asserts

    # ANCHOR: connections
    async def unknown_host():
        await asyncio.open_connection("carrier.invalid ", 4000)

    async def invalid_host():
        await asyncio.open_connection("carrier..invalid", 4000)

    async def refused_by_http():
        async with aiohttp.ClientSession() as session:
            await session.get(f"http://127.0.0.1:{closed}")

    told.clear()
    for ask in (unknown_host, invalid_host, refused_by_http):
        assert await quote_or_none(ask) is None
    assert told == ["gaierror", "UnicodeError", "ClientConnectorError"]
    # ANCHOR_END: connections

    # Two addresses refuse: neither is this a ConnectionError.
    async def getaddrinfo(host, port, **_):
        family, kind = socket.AF_INET, socket.SOCK_STREAM
        addresses = ("127.0.0.1", "127.0.0.2")
        return [(family, kind, 0, "", (a, port)) for a in addresses]

    loop = asyncio.get_running_loop()
    with patch.object(loop, "getaddrinfo", getaddrinfo):
        try:
            await asyncio.open_connection("carrier.example", closed)
            raise AssertionError("both refuse")
        except OSError as error:
            assert not isinstance(error, ConnectionError)

    # ANCHOR: lost
    async def bought():
        return "label 1"

    closing_fails = True
    try:
        await quote_or_none(bought)
        raise AssertionError("closing fails")
    except BrokenPipeError as error:
        assert error.__context__ is None  # the label is lost
    # ANCHOR_END: lost

    # ANCHOR: cancelled
    async def parent():
        child = asyncio.create_task(asyncio.Event().wait())
        asyncio.get_running_loop().call_soon(child.cancel)
        await child  # raises the CancelledError of the child

    task = asyncio.create_task(parent())
    await asyncio.wait([task])
    assert task.cancelled()  # no caller has cancelled it
    # ANCHOR_END: cancelled

    # ANCHOR: cause
    def price():
        try:
            int("twelve")
        except ValueError:
            raise LookupError("no price")  # without `from`

    try:
        price()
        raise AssertionError("no price")
    except LookupError as error:
        assert isinstance(error.__context__, ValueError)
        assert error.__traceback__ is not None
    # ANCHOR_END: cause

    # ANCHOR: int
    assert [int(text) for text in ("1_250", " 12", "-5", "٣")] == [
        1250, 12, -5, 3
    ]
    # ANCHOR_END: int


asyncio.run(main())
