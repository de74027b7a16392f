import asyncio
import socket
from contextlib import contextmanager
from unittest.mock import patch

import aiohttp

told = []
hanging_up_fails = False


async def hang_up():
    if hanging_up_fails:
        raise BrokenPipeError("the depot had hung up already")


# ANCHOR: recipe
async def packs(ask):
    try:
        return await ask()
    except asyncio.TimeoutError:
        told.append("too slow")
        return None
    except ConnectionError:
        told.append("no connection")
        return None
    except Exception as error:
        told.append(type(error).__name__)
        return None
    finally:
        await hang_up()
# ANCHOR_END: recipe


async def main():
    global hanging_up_fails
    with socket.create_server(("127.0.0.1", 0)) as unused:
        closed = unused.getsockname()[1]

    # ANCHOR: asserts
    async def silent():
        async with asyncio.timeout(0):
            await asyncio.Event().wait()

    async def refused():
        await asyncio.open_connection("127.0.0.1", closed)

    async def bug():
        return {"packs": 40}["pack"]

    async def not_kept():
        return None

    # Four different things, and one answer.
    for ask in (silent, refused, bug, not_kept):
        assert await packs(ask) is None
    assert told == ["too slow", "no connection", "KeyError"]

    # No connection either, and none of these is a ConnectionError.
    async def misspelt():
        await asyncio.open_connection("depot.example ", 4000)

    async def two_addresses_refuse():
        with resolving_to("127.0.0.1", "127.0.0.2"):
            await asyncio.open_connection("depot.example", closed)

    async def refused_by_http():
        async with aiohttp.ClientSession() as session:
            await session.get(f"http://127.0.0.1:{closed}")

    told.clear()
    for ask in (misspelt, two_addresses_refuse, refused_by_http):
        assert await packs(ask) is None
    assert told == ["gaierror", "OSError", "ClientConnectorError"]
    assert issubclass(socket.gaierror, OSError)
    assert issubclass(aiohttp.ClientConnectorError, OSError)

    # Hanging up fails, and the forty packs are gone.
    async def forty():
        return 40

    hanging_up_fails = True
    try:
        await packs(forty)
        raise AssertionError("hanging up fails")
    except BrokenPipeError as error:
        assert error.__context__ is None  # no trace of the forty
    # ANCHOR_END: asserts


@contextmanager
def resolving_to(*addresses):
    async def getaddrinfo(host, port, **_):
        family, kind = socket.AF_INET, socket.SOCK_STREAM
        return [(family, kind, 0, "", (a, port)) for a in addresses]

    loop = asyncio.get_running_loop()
    with patch.object(loop, "getaddrinfo", getaddrinfo):
        yield


asyncio.run(main())
