# ANCHOR: keep
import asyncio


class Background:
    """Tasks that go on after the response, at most `limit` at a time, each
    for `timeout` seconds at most."""

    def __init__(self, limit, timeout):
        # ANCHOR: background
        self.limit, self.timeout = limit, timeout
        self.tasks = set()  # the loop keeps weak references
        self.closed = False
        # ANCHOR_END: background

    # ANCHOR: spawn
    def spawn(self, coroutine, report):
        """Starts a task, and calls `report` when it has ended.

        False if too many run, or after the shutdown has begun.
        """
        if self.closed or len(self.tasks) >= self.limit:
            coroutine.close()
            return False

        async def limited():
            async with asyncio.timeout(self.timeout):
                await coroutine

        def ended(task):
            coroutine.close()  # if it was cancelled before it started
            self.tasks.discard(task)
            if task.cancelled():
                report("cancelled by the shutdown")
            else:
                report(task.exception())

        task = asyncio.create_task(limited())
        self.tasks.add(task)
        task.add_done_callback(ended)
        return True
    # ANCHOR_END: spawn

    # ANCHOR: shut_down
    async def shut_down(self, drain, last):
        """Refuses new tasks, waits `drain` for those that run, cancels the
        rest, and waits `last` for it. Returns how many tasks still run.
        """
        self.closed = True
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=drain)
        for task in self.tasks:
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=last)
        return len(self.tasks)
    # ANCHOR_END: shut_down
# ANCHOR_END: keep


# ANCHOR: handler
import logging

from fastapi import APIRouter, HTTPException, Request

log = logging.getLogger(__name__)
router = APIRouter()


@router.post("/parcels/{parcel}/scans", status_code=202)
async def scan(parcel: int, request: Request):
    state = request.app.state

    def report(error):
        if error:
            log.error("parcel %d: not notified: %r", parcel, error)
        state.metrics.count(parcel, error)

    if not state.background.spawn(notify(parcel), report):
        raise HTTPException(503, headers={"retry-after": "1"})
# ANCHOR_END: handler


# ANCHOR: call
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

SERVER, DRAIN, LAST = 8, 11, 1  # seconds


def create_server(metrics, **address):
    @asynccontextmanager
    async def lifespan(app):
        background = Background(limit=100, timeout=10)
        app.state.background, app.state.metrics = background, metrics
        yield
        left = await background.shut_down(DRAIN, LAST)
        if left:
            log.warning("%d tasks still run", left)

    app = FastAPI(lifespan=lifespan)
    app.include_router(router)
    config = uvicorn.Config(app, timeout_graceful_shutdown=SERVER, **address)
    return uvicorn.Server(config)
# ANCHOR_END: call


# Notifications that fail, and what must become of them. The limit of a task
# is shorter than it would be.
import gc
import warnings

import httpx

SECOND = 0.1


class Metrics:
    """What became of each notification."""

    def __init__(self):
        self.ends = {}

    def count(self, parcel, error):
        assert parcel not in self.ends
        self.ends[parcel] = str(error) or type(error).__name__

    def take(self):
        taken, self.ends = dict(sorted(self.ends.items())), {}
        return taken


async def notify(parcel):
    """Notifies the customer. The hundreds are parcels that fail."""
    match parcel // 100:
        case 1:
            await asyncio.Event().wait()
        case 2:
            raise LookupError(f"parcel {parcel} has no customer")
        case _:
            await asyncio.sleep(SECOND)


async def service():
    metrics = Metrics()
    server = create_server(
        metrics, host="127.0.0.1", port=0, log_level="error"
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    background = server.config.app.state.background
    assert (background.limit, background.timeout) == (100, 10)
    background.limit, background.timeout = 2, 10 * SECOND
    assert server.config.timeout_graceful_shutdown == SERVER
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient() as client:
        async def scan(parcel):
            url = f"http://127.0.0.1:{port}/parcels/{parcel}/scans"
            return (await client.post(url)).status_code

        assert await scan(1) == 202 and not metrics.ends
        await asyncio.sleep(2 * SECOND)
        assert metrics.take() == {1: "None"}

        assert await scan(201) == 202
        await asyncio.sleep(SECOND)
        assert metrics.take() == {201: "parcel 201 has no customer"}

        assert await scan(101) == 202
        await asyncio.sleep(11 * SECOND)
        assert metrics.take() == {101: "TimeoutError"}

        assert [await scan(2), await scan(3), await scan(4)] == [202, 202, 503]
        await asyncio.sleep(2 * SECOND)
        assert await scan(5) == 202
        server.should_exit = True
        await serving
        assert metrics.take() == {2: "None", 3: "None", 5: "None"}
    assert not background.spawn(notify(6), None)


async def shutdown():
    # It cancels what takes too long; its `finally` may await.
    background, metrics, cleaned = Background(2, 60), Metrics(), []

    async def slow():
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            cleaned.append("slow")

    def report(error):
        metrics.count(7, error)

    assert background.spawn(slow(), report)
    await asyncio.sleep(0)  # so that it starts
    caller = asyncio.create_task(background.shut_down(60, 60))
    await asyncio.sleep(SECOND)
    caller.cancel()
    await asyncio.wait([caller])
    assert not background.spawn(notify(6), None) and not metrics.ends
    assert await background.shut_down(SECOND, SECOND) == 0
    assert metrics.take() == {7: "cancelled by the shutdown"}
    assert cleaned == ["slow"]
    assert await background.shut_down(SECOND, SECOND) == 0

    # A task that has not started is cancelled, and reported, too.
    background = Background(2, 60)
    assert background.spawn(slow(), report)
    for task in background.tasks:
        task.cancel()
    assert await background.shut_down(0, SECOND) == 0
    assert metrics.take() == {7: "cancelled by the shutdown"}

    # It does not wait for a task that refuses to be cancelled.
    background, released = Background(2, 60), asyncio.Event()

    async def stubborn():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await released.wait()

    assert background.spawn(stubborn(), report)
    await asyncio.sleep(0)
    async with asyncio.timeout(20 * SECOND):
        assert await background.shut_down(SECOND, SECOND) == 1
    assert not metrics.ends
    released.set()
    await asyncio.wait(background.tasks)
    assert metrics.take() == {7: "None"}


async def main():
    log.propagate = False
    log.addHandler(logging.NullHandler())
    with warnings.catch_warnings(record=True) as caught:
        await service()
        await shutdown()
        gc.collect()
        assert not caught, "a coroutine is never awaited"


asyncio.run(main())
