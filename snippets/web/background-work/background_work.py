# ANCHOR: keep
import asyncio
import logging

log = logging.getLogger(__name__)


class Background:
    """Tasks that go on after the response, at most `limit` at a time."""

    def __init__(self, limit):
        # ANCHOR: background
        self.limit = limit
        self.tasks = set()  # the loop keeps weak references
        self.closed = False
        # ANCHOR_END: background

    # ANCHOR: spawn
    def spawn(self, coroutine, report):
        """Starts a task, and calls `report` once, when it has ended.

        False if too many run, or after the shutdown has begun.
        """
        if self.closed or len(self.tasks) >= self.limit:
            coroutine.close()
            return False

        def ended(task):
            self.tasks.discard(task)
            if task.cancelled():
                report("cancelled by the shutdown")
            else:
                report(task.exception())

        task = asyncio.create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(ended)
        return True
    # ANCHOR_END: spawn

    # ANCHOR: shut_down
    async def shut_down(self, drain, last):
        """Refuses new tasks, waits for the others, and then cancels them."""
        self.closed = True
        if not self.tasks:
            return
        _, pending = await asyncio.wait(self.tasks, timeout=drain)
        for task in pending:
            task.cancel()
        if pending:
            await asyncio.wait(pending, timeout=last)
    # ANCHOR_END: shut_down
# ANCHOR_END: keep


# A service that sends notifications, and what must become of them. All is
# shorter than it would be.
import warnings
from contextlib import asynccontextmanager

import httpx
import uvicorn
from fastapi import FastAPI, HTTPException

SECOND = 0.1
LIMITS = (20 * SECOND, SECOND)
reports = {}


async def notify(parcel):
    match parcel // 100:
        case 1:
            await asyncio.Event().wait()
        case 2:
            raise LookupError(f"parcel {parcel} has no customer")
        case _:
            await asyncio.sleep(SECOND)


def app_of(background):
    # ANCHOR: handler
    @asynccontextmanager
    async def lifespan(app):
        yield
        await background.shut_down(*LIMITS)  # the server has stopped

    app = FastAPI(lifespan=lifespan)

    @app.post("/parcels/{parcel}/scans", status_code=202)
    async def scan(parcel: int):
        def report(error):
            if error:
                log.error("parcel %d: not notified: %r", parcel, error)
            count(parcel, error)

        async def task():
            async with asyncio.timeout(10 * SECOND):
                await notify(parcel)

        if not background.spawn(task(), report):
            raise HTTPException(503, headers={"retry-after": "1"})
    # ANCHOR_END: handler

    return app


def count(parcel, error):
    assert parcel not in reports
    reports[parcel] = str(error) or type(error).__name__


async def serve(limit):
    background = Background(limit)
    app = app_of(background)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    return background, server, serving, f"http://127.0.0.1:{port}/parcels"


def taken():
    taken = dict(sorted(reports.items()))
    reports.clear()
    return taken


async def main():
    log.propagate = False
    log.addHandler(logging.NullHandler())
    background, server, serving, url = await serve(2)
    async with httpx.AsyncClient() as client:
        async def scan(parcel):
            response = await client.post(f"{url}/{parcel}/scans")
            return response.status_code

        assert await scan(1) == 202 and not reports
        await asyncio.sleep(2 * SECOND)
        assert taken() == {1: "None"}

        assert await scan(201) == 202
        await asyncio.sleep(SECOND)
        assert taken() == {201: "parcel 201 has no customer"}

        assert await scan(101) == 202
        await asyncio.sleep(11 * SECOND)
        assert taken() == {101: "TimeoutError"}

        assert [await scan(2), await scan(3), await scan(4)] == [202, 202, 503]
        await asyncio.sleep(2 * SECOND)
        assert await scan(5) == 202
        server.should_exit = True
        await serving
        assert taken() == {2: "None", 3: "None", 5: "None"}
    with warnings.catch_warnings(record=True) as caught:
        assert not background.spawn(notify(6), None)
        assert not caught, "a coroutine is never awaited"

    # It cancels what takes too long; its `finally` may await.
    background = Background(2)
    cleaned = []

    async def slow():
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            cleaned.append("slow")

    def report(error):
        count(7, error)

    assert background.spawn(slow(), report)
    await asyncio.sleep(0)
    await background.shut_down(SECOND, SECOND)
    assert taken() == {7: "cancelled by the shutdown"} and cleaned == ["slow"]
    await background.shut_down(SECOND, SECOND)

    # It does not wait for a task that refuses to be cancelled.
    background, released = Background(2), asyncio.Event()

    async def stubborn():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await released.wait()

    assert background.spawn(stubborn(), report)
    await asyncio.sleep(0)
    async with asyncio.timeout(20 * SECOND):
        await background.shut_down(SECOND, SECOND)
    assert not taken()
    released.set()
    await asyncio.wait(background.tasks)
    assert taken() == {7: "None"}


asyncio.run(main())
