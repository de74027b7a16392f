import asyncio
import multiprocessing
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress


def fingerprint(scan):
    mark = 7
    for byte in scan:
        mark = (mark * 31 + byte) & 0xFFFFFFFF
    return mark


async def one_thread_at_a_time():
    # ANCHOR: serial
    scan = bytes(200_000)
    begun, used = time.perf_counter(), time.process_time()
    calls = [asyncio.to_thread(fingerprint, scan) for _ in range(4)]
    await asyncio.gather(*calls)
    wall = time.perf_counter() - begun
    used = time.process_time() - used
    assert used < 1.2 * wall  # four threads use one core
    # ANCHOR_END: serial


def never_ends():
    while True:
        time.sleep(1)


def kill_a_process():
    # ANCHOR: killed
    process = multiprocessing.Process(target=never_ends)
    process.start()
    process.kill()
    process.join()
    assert process.exitcode < 0
    # ANCHOR_END: killed


# ANCHOR: pool
async def in_a_pool(work):
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor() as pool:
        return await loop.run_in_executor(pool, work)
# ANCHOR_END: pool


async def leaving_waits():
    # ANCHOR: waits
    started, finish = threading.Event(), threading.Event()
    ends = []

    def work():
        started.set()
        ends.append(finish.wait(timeout=0.15))

    # The timeout of 0.01 s does not end the call.
    with suppress(TimeoutError):
        await asyncio.wait_for(in_a_pool(work), 0.01)
    assert ends == [False]  # it has waited 0.15 s

    # Nothing else runs meanwhile: `finish.set` runs after the 0.15 s.
    started.clear()
    call = asyncio.create_task(in_a_pool(work))
    while not started.is_set():
        await asyncio.sleep(0)
    call.cancel()
    asyncio.get_running_loop().call_soon(finish.set)
    await asyncio.wait([call])
    assert ends == [False, False]
    # ANCHOR_END: waits
    assert finish.is_set()


async def a_pool_for_every_call():
    threads = []

    def count():
        threads.append(threading.current_thread())

    for _ in range(100):
        with ThreadPoolExecutor(initializer=count) as pool:
            await asyncio.wrap_future(pool.submit(fingerprint, b"scan"))
    assert len(threads) == 100
    assert not any(thread.is_alive() for thread in threads)

    threads.clear()
    with ThreadPoolExecutor(4, initializer=count) as pool:
        for _ in range(100):
            await asyncio.wrap_future(pool.submit(fingerprint, b"scan"))
    assert len(threads) <= 4


async def main():
    # A free-threaded build runs them at the same time.
    if getattr(sys, "_is_gil_enabled", lambda: True)():
        await one_thread_at_a_time()
    await leaving_waits()
    await a_pool_for_every_call()


if __name__ == "__main__":
    kill_a_process()
    asyncio.run(main())
