import asyncio
import os
from concurrent.futures import ProcessPoolExecutor
from time import perf_counter

from measure import WAY, measure, page

fingerprint = page("advanced-patterns/threads/threads.py").fingerprint


def expected(byte, count):
    """The fingerprint of so many equal bytes, as a geometric series."""
    power = pow(31, count, 30 * 2**32)
    return (7 * power + byte * ((power - 1) // 30)) % 2**32


async def work(count):
    scans = [bytes([n]) * (count // 4) for n in range(1, 5)]
    start = perf_counter()
    if WAY == "threads":
        calls = [asyncio.to_thread(fingerprint, scan) for scan in scans]
    else:
        loop = asyncio.get_running_loop()
        calls = [
            loop.run_in_executor(processes, fingerprint, scan)
            for scan in scans
        ]
    marks = await asyncio.gather(*calls)
    seconds = perf_counter() - start
    assert marks == [expected(n, count // 4) for n in range(1, 5)]
    return seconds


if __name__ == "__main__":
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        # The pool fills this dictionary when it starts its processes.
        measure(work, 20_000_000, processes._processes)
