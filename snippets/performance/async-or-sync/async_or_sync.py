# ANCHOR: mixed
import asyncio
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import aiohttp
from aiohttp import web


# ANCHOR: shade
def shade(heights):
    """A slope that rises is bright, one that falls is dark."""
    slopes = zip(heights, heights[1:])
    return bytes(128 + (b - a) // 2 for a, b in slopes)
# ANCHOR_END: shade


async def make_tile(session, survey, processes, id, folder):
    # ANCHOR: network
    # Waits for the network: async.
    async with session.get(f"{survey}/heights/{id}") as answer:
        answer.raise_for_status()
        heights = await answer.read()
    # ANCHOR_END: network
    # ANCHOR: processor
    # Computes: in another process, a thread would share this one's lock.
    loop = asyncio.get_running_loop()
    tile = await loop.run_in_executor(processes, shade, heights)
    # ANCHOR_END: processor
    # ANCHOR: disk
    # Waits for the disk: a thread.
    await asyncio.to_thread(Path(folder, f"{id}.tile").write_bytes, tile)
    # ANCHOR_END: disk
# ANCHOR_END: mixed


async def main():
    async def heights(request):
        id = int(request.match_info["id"])
        return web.Response(body=bytes(x * id % 256 for x in range(256)))

    app = web.Application()
    app.add_routes([web.get("/heights/{id}", heights)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    survey = "http://127.0.0.1:%d" % runner.addresses[0][1]
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(2) as processes,
    ):
        async with aiohttp.ClientSession() as session:
            tiles = [
                make_tile(session, survey, processes, id, folder)
                for id in range(8)
            ]
            await asyncio.gather(*tiles)
        for id in range(8):
            tile = Path(folder, f"{id}.tile").read_bytes()
            assert tile == shade(bytes(x * id % 256 for x in range(256)))
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
