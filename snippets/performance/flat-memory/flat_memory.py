import asyncio
import tempfile
from contextlib import aclosing

import aiohttp
from aiohttp import web

ORDERS = b"7;lamp;2499\n" * 100_000


# ANCHOR: lines
# ANCHOR: chunks
async def file_chunks(path, size=256 * 1024):
    with await asyncio.to_thread(open, path, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, size):
            yield chunk
# ANCHOR_END: chunks


# ANCHOR: count
async def count_lines(chunks):
    lines, goes_on = 0, False
    async for chunk in chunks:
        lines += chunk.count(b"\n")
        goes_on = not chunk.endswith(b"\n")
    return lines + goes_on
# ANCHOR_END: count


async def in_flat_memory(path, session, url):
    # ANCHOR: in_file
    async with aclosing(file_chunks(path)) as chunks:
        in_file = await count_lines(chunks)
    # ANCHOR_END: in_file
    # ANCHOR: body
    async with session.get(url, raise_for_status=True) as answer:
        chunks = answer.content.iter_chunked(256 * 1024)
        in_body = await count_lines(chunks)
    # ANCHOR_END: body
    return in_file, in_body
# ANCHOR_END: lines


async def main():
    async def export(request):
        answer = web.StreamResponse()
        await answer.prepare(request)
        for _ in range(40):
            await answer.write(ORDERS)
        return answer

    app = web.Application()
    app.add_routes([web.get("/export", export)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = "http://127.0.0.1:%d/export" % runner.addresses[0][1]
    with tempfile.NamedTemporaryFile() as file:
        for _ in range(40):
            file.write(ORDERS)
        file.flush()
        before = peak_mb()
        async with aiohttp.ClientSession() as session:
            counted = await in_flat_memory(file.name, session, url)
    assert counted == (4_000_000, 4_000_000)
    # The file has 48 MB, and so has the body.
    assert peak_mb() < before + 16
    await runner.cleanup()


def peak_mb():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1000


asyncio.run(main())
