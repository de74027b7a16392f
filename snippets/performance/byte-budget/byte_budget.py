# ANCHOR: keep
import asyncio
from contextlib import asynccontextmanager


# ANCHOR: errors
class TooLarge(Exception):
    """The body has more than so many bytes."""
# ANCHOR_END: errors


class Budget:
    """The bytes of bodies that may be in memory at the same time."""

    # ANCHOR: new
    def __init__(self, total, largest):
        self.free, self.largest = total, min(largest, total)
        self.turn, self.freed = asyncio.Lock(), asyncio.Event()
    # ANCHOR_END: new

    @asynccontextmanager
    async def load(self, response):
        """Waits until there is room for the whole body, then reads it."""
        # ANCHOR: reserve
        size = response.content_length
        if size is None or "Content-Encoding" in response.headers:
            size = self.largest
        if size > self.largest:
            raise TooLarge(self.largest)
        await self.acquire(size)
        # ANCHOR_END: reserve
        try:
            # ANCHOR: read
            body = bytearray()
            async for chunk in response.content.iter_any():
                if len(chunk) > size - len(body):
                    raise TooLarge(self.largest)
                body += chunk
            # ANCHOR_END: read
            # ANCHOR: surplus
            self.release(size - len(body))
            size = len(body)
            yield body
            # ANCHOR_END: surplus
        finally:
            self.release(size)

    async def acquire(self, size):
        async with self.turn:  # in order: a large body is not overtaken
            while self.free < size:
                self.freed.clear()
                await self.freed.wait()
            self.free -= size

    def release(self, size):
        self.free += size
        self.freed.set()
# ANCHOR_END: keep


# A carrier that sends labels, and a service that prints them.
import gc
import gzip
import weakref

import aiohttp
from aiohttp import web

KB = 1000


async def label(request):
    """`/7?chunked`: 7 kB, without a Content-Length."""
    size = int(request.match_info["kb"]) * KB
    if "gzip" in request.query:
        headers = {"Content-Encoding": "gzip"}
        return web.Response(body=gzip.compress(bytes(size)), headers=headers)
    response = web.StreamResponse()
    if "chunked" not in request.query:
        response.content_length = size
    await response.prepare(request)
    await response.write(bytes(size // 2))
    if "cut" in request.query:
        request.transport.close()
    if "silent" in request.query:
        await asyncio.sleep(2)
    try:
        await response.write(bytes(size - size // 2))
    except ConnectionResetError:
        pass
    return response


async def main():
    app = web.Application()
    app.add_routes([web.get("/{kb}", label)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = "http://127.0.0.1:%d" % runner.addresses[0][1]
    timeout = aiohttp.ClientTimeout(total=None, sock_read=0.3)
    async with aiohttp.ClientSession(base, timeout=timeout) as session:
        await cases(session)
    await runner.cleanup()


async def cases(session):
    printed = []

    async def print_label(body):
        printed.append(len(body))

    # ANCHOR: call
    budget = Budget(64_000_000, 8_000_000)  # one for the program

    async def print_labels(url):
        async with session.get(url, raise_for_status=True) as response:
            async with budget.load(response) as body:
                await print_label(body)
    # ANCHOR_END: call

    await print_labels("/7")
    assert printed == [7 * KB] and budget.free == 64_000_000

    budget = Budget(16 * KB, 8 * KB)

    async def load(url, hold=None):
        async with session.get(url) as response:
            async with budget.load(response) as body:
                free = budget.free
                if hold:
                    await hold.wait()
                return len(body), free

    # With a length, and without one.
    assert await load("/7") == (7 * KB, 9 * KB)
    assert await load("/7?chunked") == (7 * KB, 9 * KB)
    assert await load("/7?gzip") == (7 * KB, 9 * KB)
    for url, error in [
        ("/9", TooLarge),
        ("/9?chunked", TooLarge),
        ("/8?cut", aiohttp.ClientPayloadError),
        ("/8?silent", TimeoutError),
    ]:
        try:
            await load(url)
            raise AssertionError(url)
        except error:
            assert budget.free == 16 * KB, url

    # A body waits for room, in order, and a caller may leave.
    done = asyncio.Event()
    first = [asyncio.create_task(load("/6", done)) for _ in range(2)]
    while budget.free > 4 * KB:
        await asyncio.sleep(0.01)
    large = asyncio.create_task(load("/8"))
    while not budget.turn.locked():
        await asyncio.sleep(0.01)
    small = asyncio.create_task(load("/1"))
    await asyncio.sleep(0.1)
    assert not large.done() and not small.done()
    large.cancel()
    assert await small == (1 * KB, 3 * KB)
    large_again = asyncio.create_task(load("/8"))
    while not budget.turn.locked():
        await asyncio.sleep(0.01)
    done.set()
    async with asyncio.timeout(5):
        assert (await large_again)[0] == 8 * KB
        await asyncio.gather(*first)
    assert budget.free == 16 * KB and large.cancelled()

    # ANCHOR: reference
    async with session.get("/7") as response:
        async with budget.load(response) as body:
            pass
    assert budget.free == 16 * KB and len(body) == 7 * KB  # still in memory
    # ANCHOR_END: reference


class Node:
    pass


def collector():
    # ANCHOR: gc
    parcel = Node()
    parcel.myself = parcel
    left = weakref.ref(parcel)
    del parcel
    assert left() is not None
    gc.collect()
    assert left() is None
    # ANCHOR_END: gc

    gc.collect()
    # ANCHOR: collects
    # A line is freed when its last reference goes. `collect` looks for
    # cycles: here it visits 10,000 objects, and a string is not among them.
    assert not gc.is_tracked("7;Oslo;2499\n")
    assert len(gc.get_objects()) > 10_000
    assert gc.collect() == 0
    # ANCHOR_END: collects


asyncio.run(main())
collector()
