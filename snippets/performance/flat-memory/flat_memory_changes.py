import asyncio
import io
import os
import tempfile
import threading
import time
from contextlib import aclosing, suppress
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

MAX_LINE = 64 * 1024


# ANCHOR: recipe
async def read_lines(path):
    with open(path) as file:
        while line := file.readline():
            yield line
            await asyncio.sleep(0)
# ANCHOR_END: recipe


async def beats_during(read, path):
    """How many of 100 callbacks run while the disk takes its time."""
    loop = asyncio.get_running_loop()
    os.mkfifo(path)
    beats, done, counts = [], threading.Event(), []

    def slow_disk():
        with open(path, "w") as disk:
            for _ in range(100):
                loop.call_soon_threadsafe(beats.append, "beat")
            loop.call_soon_threadsafe(done.set)
            done.wait(timeout=0.4)
            counts.append(len(beats))
            disk.write("7;Oslo;2499\n")

    disk = threading.Thread(target=slow_disk)
    disk.start()
    async with aclosing(read(path)) as lines:
        assert await anext(lines) == "7;Oslo;2499\n"
    disk.join()
    return counts.pop()


async def a_slow_disk(folder):
    # ANCHOR: freezes
    # Of another task's 100 callbacks, while one line is read:
    assert await beats_during(read_lines, folder / "pipe") == 0
    # ANCHOR_END: freezes


async def an_early_break(path):
    # ANCHOR: early
    lines = read_lines(path)
    async for line in lines:
        file = lines.ag_frame.f_locals["file"]
        break
    await asyncio.sleep(0)
    assert not file.closed
    await lines.aclose()
    assert file.closed
    # ANCHOR_END: early


class SlowDisk(io.RawIOBase):
    """A read that takes 0.3 s."""

    def __init__(self):
        self.reading = threading.Event()

    def readable(self):
        return True

    def readinto(self, buffer):
        self.reading.set()
        time.sleep(0.3)
        return 0


async def a_close_on_the_loop():
    disk = SlowDisk()
    file = io.BufferedReader(disk)
    # ANCHOR: close
    read = asyncio.create_task(asyncio.to_thread(file.read))
    while not disk.reading.is_set():
        await asyncio.sleep(0)
    read.cancel()  # cancels the task, and not the read in its thread
    start = time.monotonic()
    file.close()  # waits for the read, which takes 0.3 s
    assert time.monotonic() - start > 0.1
    # ANCHOR_END: close


async def a_body():
    async def export(request):
        response = web.StreamResponse()
        await response.prepare(request)
        with suppress(ConnectionResetError):
            for _ in range(3):
                await response.write(b"7;Oslo;2499\n")
                await asyncio.sleep(0.1)
            if "endless" in request.query:
                await response.write(b"7" * 1024 * 1024)
            if "silent" in request.query:
                await asyncio.sleep(1)
        return response

    app = web.Application()
    app.add_routes([web.get("/export", export)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = "http://127.0.0.1:%d/export" % runner.addresses[0][1]

    # ANCHOR: body
    async def body_lines(url, **limits):
        timeout = aiohttp.ClientTimeout(**limits)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            async with session.get(url, raise_for_status=True) as response:
                read = response.content.readline
                while line := await read(max_line_length=MAX_LINE):
                    yield line
    # ANCHOR_END: body

    async def ends(url, **limits):
        lines = []
        try:
            async with aclosing(body_lines(url, **limits)) as body:
                async for line in body:
                    assert line == b"7;Oslo;2499\n"
                    lines.append(line)
        except (TimeoutError, LineTooLong) as error:
            return len(lines), type(error)
        return len(lines), None

    # ANCHOR: total
    assert aiohttp.client.DEFAULT_TIMEOUT.total == 300  # seconds
    # A total timeout ends a body whose data still flows.
    lines, error = await ends(url, total=0.15)
    assert lines < 3 and issubclass(error, TimeoutError)
    # `sock_read` limits each wait.
    assert await ends(url, total=None, sock_read=0.5) == (3, None)
    # ANCHOR_END: total
    limits = {"total": None, "sock_read": 0.5}
    lines, error = await ends(url + "?silent", **limits)
    assert lines == 3 and issubclass(error, TimeoutError)
    assert await ends(url + "?endless", **limits) == (3, LineTooLong)
    await runner.cleanup()


async def main():
    with tempfile.TemporaryDirectory() as folder:
        await a_slow_disk(Path(folder))
        export = Path(folder, "export")
        export.write_text("7;Oslo;2499\n" * 100)
        await an_early_break(export)
    await a_close_on_the_loop()
    await a_body()


asyncio.run(main())
