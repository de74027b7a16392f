# ANCHOR: keep
import asyncio
import logging
import os
import signal

log = logging.getLogger(__name__)


# ANCHOR: signals
def listen_for_signals(begun):
    """The first SIGTERM or SIGINT sets `begun`. The second ends the process."""
    def heard():
        if begun.is_set():
            os._exit(1)
        begun.set()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, heard)
    loop.add_signal_handler(signal.SIGINT, heard)
# ANCHOR_END: signals


async def run_jobs(jobs, run, hand_back, begun, closing, runner, limits):
    """Runs jobs, and ends in steps. It hands back each that is not done."""
    delay, _, drain, last = limits  # the runner keeps that of the requests

    # ANCHOR: worker
    async def worker():
        while True:
            job = await jobs.get()
            task = asyncio.create_task(run(job))
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError:
                task.cancel()
                await asyncio.wait([task], timeout=last)  # perhaps it is done
                raise
            finally:
                if not task.done() or task.cancelled() or task.exception():
                    log.error("not done: handed back: %s: %s", job, task)
                    hand_back(job)
                jobs.task_done()
    # ANCHOR_END: worker

    workers = [asyncio.create_task(worker()) for _ in range(4)]
    # ANCHOR: steps
    await begun.wait()
    log.info("shutdown: /ready answers 503")
    await asyncio.sleep(delay)
    log.info("shutdown: the listener closes, streams end")
    closing.set()
    await runner.cleanup()
    log.info("shutdown: the queue is drained")
    try:
        await asyncio.wait_for(jobs.join(), drain)
    except TimeoutError:
        log.info("shutdown: the rest is handed back")
    # ANCHOR_END: steps
    # ANCHOR: rest
    for task in workers:
        task.cancel()
    await asyncio.wait(workers)
    while not jobs.empty():
        hand_back(jobs.get_nowait())
    # ANCHOR_END: rest
# ANCHOR_END: keep


# The service around it.
from aiohttp import web

# 2 + 2 + 2 + 1 = 7 s, and 1 s to store what is handed back.
LIMITS = (
    2,  # load balancers stop sending requests
    2,  # requests are answered, streams end
    2,  # jobs are done
    1,  # the rest is cancelled and handed back
)
ENQUEUE = 1


# ANCHOR: call
async def serve_labels(sock, begun, limits, run, hand_back):
    jobs, closing = asyncio.Queue(8), asyncio.Event()

    async def ready(request):
        return web.Response(status=503 if begun.is_set() else 200)

    async def order(request):
        try:
            async with asyncio.timeout(ENQUEUE):
                await jobs.put(int(request.match_info["parcel"]))
        except TimeoutError:
            return web.Response(status=503)  # the queue is full
        return web.Response(status=202)

    async def events(request):
        response = web.StreamResponse()
        response.content_type = "text/event-stream"
        await response.prepare(request)
        await response.write(b"data: parcel 7 is in Ghent\n\n")
        await closing.wait()
        return response

    app = web.Application()
    app.add_routes([
        web.get("/ready", ready),
        web.post("/labels/{parcel}", order),
        web.get("/events", events),
    ])
    # aiohttp waits for requests up to twice as long, then it cancels them.
    runner = web.AppRunner(app, shutdown_timeout=limits[1] / 2)
    await runner.setup()
    await web.SockSite(runner, sock).start()
    await run_jobs(jobs, run, hand_back, begun, closing, runner, limits)
# ANCHOR_END: call


# Labels that fail in every way, and clients that do.
import socket
import subprocess
import sys
import time

import aiohttp

SCALE = 0.1  # the limits are shorter than they would be
rendered, cancelled, unfinished, logged = [], [], [], []
released = asyncio.Event()


async def render(parcel):
    match parcel // 100:
        case 1:
            try:
                await asyncio.Event().wait()  # the carrier never answers
            except asyncio.CancelledError:
                cancelled.append(parcel)
                raise
        case 2:
            raise ValueError(f"parcel {parcel} has no address")
        case 4:
            while not released.is_set():  # it cannot be cancelled
                try:
                    await released.wait()
                except asyncio.CancelledError:
                    pass
            return
        case 5:
            await asyncio.sleep(0)
        case _:
            await asyncio.sleep(SCALE)
    rendered.append(parcel)


class Log(logging.Handler):
    def emit(self, record):
        logged.append(record.getMessage())


class Trial:
    """A service, and what becomes of its labels."""

    def __init__(self, limits=LIMITS):
        self.limits = [limit * SCALE for limit in limits]

    async def __aenter__(self):
        for items in [rendered, cancelled, unfinished, logged]:
            items.clear()
        self.begun = asyncio.Event()
        sock = socket.create_server(("127.0.0.1", 0))
        self.address = sock.getsockname()
        self.url = "http://{}:{}".format(*self.address)
        self.service = asyncio.create_task(serve_labels(
            sock, self.begun, self.limits, render, unfinished.append
        ))
        self.client = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *error):
        await self.client.close()

    async def order(self, parcel):
        url = f"{self.url}/labels/{parcel}"
        try:
            async with self.client.post(url) as response:
                return response.status
        except aiohttp.ClientConnectionError:
            return None  # it was closed without an answer

    async def orders(self, parcels):
        statuses = await asyncio.gather(*map(self.order, parcels))
        return statuses.count(202)

    async def ready(self):
        async with self.client.get(f"{self.url}/ready") as response:
            return response.status

    async def connect(self, request):
        reader, writer = await asyncio.open_connection(*self.address)
        writer.write(request)
        await asyncio.sleep(SCALE / 10)
        return reader, writer

    async def end(self):
        """The shutdown's time, in seconds of the limits."""
        start = time.monotonic()
        self.begun.set()
        await self.service
        return (time.monotonic() - start) / SCALE


async def cases():
    global ENQUEUE

    # An error is handed back at once, and the workers go on. A step whose work
    # is done takes no time.
    async with Trial((0, 2, 600, 1)) as trial:
        assert await trial.orders([201, 202, 203, 204, 1]) == 5
        await asyncio.sleep(2 * SCALE)
        assert sorted(unfinished) == [201, 202, 203, 204]
        assert await trial.end() < 60
        assert rendered == [1] and len(unfinished) == 4

    # Four jobs that do not end, eight in the queue, and two without a place.
    async with Trial() as trial:
        ENQUEUE = 0.1
        assert await trial.orders(range(101, 115)) == 12
        assert await trial.end() >= 4
        assert not rendered and len(unfinished) == 12
        assert sorted(cancelled) == [101, 102, 103, 104]
        assert len(logged) == 8, logged  # four steps, four jobs

    # The same, while two wait for a place: their connections are closed.
    async with Trial() as trial:
        ENQUEUE = 60
        orders = asyncio.create_task(trial.orders(range(101, 115)))
        await asyncio.sleep(SCALE)
        assert await trial.end() >= 6
        assert not rendered and len(unfinished) == 12
        assert await orders == 12

    # A job that swallows its cancellation.
    async with Trial() as trial:
        assert await trial.orders([401]) == 1
        assert await trial.end() >= 5
        assert unfinished == [401]
        released.set()

    # What comes in the delay is served.
    async with Trial() as trial:
        assert await trial.orders(range(1, 10)) == 9
        assert await trial.ready() == 200
        trial.begun.set()
        await asyncio.sleep(SCALE)
        assert await trial.ready() == 503
        assert await trial.order(10) == 202
        await trial.end()
        assert sorted(rendered) == list(range(1, 11)) and not unfinished
        assert await trial.order(11) is None

    # A stream ends with an end, half a request is cut off.
    async with Trial() as trial:
        events, writer = await trial.connect(
            b"GET /events HTTP/1.1\r\nhost: a\r\n\r\n"
        )
        slow, slow_writer = await trial.connect(
            b"POST /labels/5 HTTP/1.1\r\nho"
        )
        assert await trial.end() < 4
        assert (await events.read()).endswith(b"Ghent\n\n\r\n0\r\n\r\n")
        assert await slow.read() == b""
        writer.close()
        slow_writer.close()

    # aiohttp runs a handler to its end though its client has left.
    async with Trial() as trial:
        assert await trial.orders(range(1, 13)) == 12
        _, writer = await trial.connect(
            b"POST /labels/13 HTTP/1.1\r\nhost: a\r\n\r\n"
        )
        writer.close()
        await trial.end()
        assert sorted(rendered) == list(range(1, 14)) and not unfinished


async def serve(scale):
    """A process of its own, for signals."""
    begun = asyncio.Event()
    listen_for_signals(begun)
    sock = socket.create_server(("127.0.0.1", 0))
    os.write(1, b"%d\n" % sock.getsockname()[1])
    await serve_labels(
        sock, begun, [limit * scale for limit in LIMITS], render,
        lambda parcel: os.write(1, b"unfinished: %d\n" % parcel),
    )


def process(scale, *signals):
    """What it writes after the first signal, and its exit code."""
    with subprocess.Popen(
        [sys.executable, __file__, scale], stdout=subprocess.PIPE
    ) as program:
        port = int(program.stdout.readline())
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.send(b"POST /labels/101 HTTP/1.1\r\nhost: a\r\n\r\n")
            assert b" 202 " in client.recv(1000)
        for number in signals:
            program.send_signal(number)
            time.sleep(0.05)
        return program.stdout.read(), program.wait()


# What a program does that has no signal handlers of its own.
WITHOUT = """
import asyncio, os, signal

# As in a terminal; a job in the background ignores Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

async def job():
    try:
        os.write(1, b"started\\n")
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0.01)
        os.write(1, b"job ended\\n")

async def main():
    task = asyncio.create_task(job())
    await asyncio.Event().wait()

asyncio.run(main())
"""


def without_handlers(number):
    with subprocess.Popen(
        [sys.executable, "-c", WITHOUT],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as program:
        assert program.stdout.readline() == b"started\n"
        program.send_signal(number)
        return program.stdout.read()


log.setLevel(logging.INFO)
log.addHandler(Log())
log.propagate = False
if len(sys.argv) > 1:
    asyncio.run(serve(float(sys.argv[1])))
else:
    asyncio.run(cases())
    for number in [signal.SIGTERM, signal.SIGINT]:
        assert process("0.1", number) == (b"unfinished: 101\n", 0)
    assert process("1", signal.SIGTERM, signal.SIGINT) == (b"", 1)
    # Ctrl-C cancels the tasks and awaits them. SIGTERM ends the process.
    assert without_handlers(signal.SIGINT) == b"job ended\n"
    assert without_handlers(signal.SIGTERM) == b""
