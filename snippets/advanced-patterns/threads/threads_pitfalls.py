import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress


# ANCHOR: recipe
async def in_a_pool(work):
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor() as pool:
        return await loop.run_in_executor(pool, work)
# ANCHOR_END: recipe


async def leaving_waits():
    # ANCHOR: waits
    loop = asyncio.get_running_loop()
    started, paper = asyncio.Event(), threading.Event()
    scanned = []

    def scan():
        loop.call_soon_threadsafe(started.set)
        scanned.append(paper.wait(timeout=0.15))

    # The time limit is 0.01 s, but the error comes after the scan.
    call = asyncio.create_task(in_a_pool(scan))
    await started.wait()
    with suppress(TimeoutError):
        await asyncio.wait_for(call, 0.01)
    assert call.cancelled() and scanned == [False]

    # And the loop stands still: a callback that was due at once, the one
    # that brings the paper, does not run until the scan has given up.
    started.clear()
    call = asyncio.create_task(in_a_pool(scan))
    await started.wait()
    call.cancel()
    loop.call_soon(paper.set)
    with suppress(asyncio.CancelledError):
        await call
    assert scanned == [False, False]
    assert paper.is_set()  # too late
    # ANCHOR_END: waits


async def a_pool_for_every_call():
    # ANCHOR: pools
    loop = asyncio.get_running_loop()
    threads = []

    def count():
        threads.append(threading.current_thread())

    for _ in range(100):
        with ThreadPoolExecutor(initializer=count) as pool:
            await loop.run_in_executor(pool, fingerprint, b"photo")
    assert len(threads) == 100
    assert not any(thread.is_alive() for thread in threads)

    threads.clear()
    with ThreadPoolExecutor(4, initializer=count) as pool:
        for _ in range(100):
            await loop.run_in_executor(pool, fingerprint, b"photo")
    assert len(threads) <= 4
    # ANCHOR_END: pools


async def one_thread_at_a_time():
    # ANCHOR: serial
    photo = bytes(200_000)
    begun, used = time.perf_counter(), time.process_time()
    calls = [asyncio.to_thread(fingerprint, photo) for _ in range(4)]
    await asyncio.gather(*calls)
    wall = time.perf_counter() - begun
    used = time.process_time() - used
    # Four threads, however many processors: together no more than one.
    assert used < 1.2 * wall
    # ANCHOR_END: serial


def fingerprint(photo):
    mark = 7
    for byte in photo:
        mark = (mark * 31 + byte) & 0xFFFFFFFF
    return mark


async def main():
    await leaving_waits()
    await a_pool_for_every_call()
    await one_thread_at_a_time()


asyncio.run(main())
