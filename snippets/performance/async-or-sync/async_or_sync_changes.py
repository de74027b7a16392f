import asyncio
import errno
import time

from fastapi.concurrency import run_in_threadpool


def shade(heights):
    return bytes((b - a) % 256 for a, b in zip(heights, heights[1:]))


async def on_threads():
    # ANCHOR: threads
    heights = bytes(250_000)
    begun, used = time.perf_counter(), time.process_time()
    calls = [run_in_threadpool(shade, heights) for _ in range(8)]
    await asyncio.gather(*calls)
    elapsed = time.perf_counter() - begun
    used = time.process_time() - used
    # Eight threads, and never more than one processor.
    assert used < 1.2 * elapsed
    # ANCHOR_END: threads


def on_a_full_disk():
    # ANCHOR: full
    written = False
    try:
        with open("/dev/full", "w") as tile:
            tile.write("tile")
            written = True
        raise AssertionError("leaving the block writes, and raises")
    except OSError as error:
        assert written and error.errno == errno.ENOSPC
    # ANCHOR_END: full


async def main():
    await on_threads()
    on_a_full_disk()


asyncio.run(main())
