# ANCHOR: keep
import asyncio


# ANCHOR: limit
class Busy(Exception):
    """No job may start, and no caller may wait."""


class Limit:
    """Limits how many jobs run, and how many callers wait."""

    def __init__(self, running, waiting):
        self.running = asyncio.Semaphore(running)
        self.waiting = waiting
    # ANCHOR_END: limit

    # ANCHOR: admit
    async def admit(self):
        waits = self.running.locked()
        if waits and self.waiting == 0:
            raise Busy
        self.waiting -= waits
        try:
            await self.running.acquire()
        finally:
            self.waiting += waits
    # ANCHOR_END: admit

    # ANCHOR: block
    async def run(self, pool, work, *args):
        """Runs `work` in a pool: of threads if it waits, of processes if it
        computes."""
        await self.admit()
        loop = asyncio.get_running_loop()

        def release(_):
            loop.call_soon_threadsafe(self.running.release)

        try:
            job = pool.submit(work, *args)
        except BaseException:
            self.running.release()
            raise
        job.add_done_callback(release)  # when the job ends, not its caller
        return await asyncio.wrap_future(job)
    # ANCHOR_END: block
# ANCHOR_END: keep


# Scans of labels: files that are read, and whose fingerprint is computed.
import os
import tempfile
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path


# ANCHOR: fingerprint
def fingerprint(scan):
    mark = 7
    for byte in scan:
        mark = (mark * 31 + byte) & 0xFFFFFFFF
    return mark
# ANCHOR_END: fingerprint


class Job:
    """A job that runs until it is finished."""

    def __init__(self):
        self.started, self.finish = threading.Event(), threading.Event()

    def run(self):
        self.started.set()
        assert self.finish.wait(60)
        return 7


async def full(threads):
    """Two jobs run, a third caller waits, and a fourth is refused."""
    limit, jobs = Limit(2, 1), (Job(), Job())

    def start(work):
        return asyncio.create_task(limit.run(threads, work))

    first, second = start(jobs[0].run), start(jobs[1].run)
    for job in jobs:
        await asyncio.to_thread(job.started.wait)
    third = start(int)
    await asyncio.sleep(0)
    try:
        await limit.run(threads, int)
        raise AssertionError("no place")
    except Busy:
        pass
    # The caller that waits gives up, and its place is free.
    third.cancel()
    await asyncio.wait([third])
    third = start(int)
    await asyncio.sleep(0)
    # The caller of a running job gives up: the job keeps its permit.
    first.cancel()
    await asyncio.wait([first])
    await asyncio.sleep(0.01)
    assert first.cancelled() and not third.done()
    jobs[0].finish.set()
    assert await third == 0
    jobs[1].finish.set()
    assert await second == 7
    assert limit.waiting == 1 and not limit.running.locked()


async def failing(threads):
    limit = Limit(1, 0)
    for _ in range(2):
        try:
            await limit.run(threads, int, "no number")
            raise AssertionError("it fails")
        except ValueError:
            assert not limit.running.locked()
    # A process that dies takes its pool with it.
    with ProcessPoolExecutor(1) as processes:
        for _ in range(2):
            try:
                await limit.run(processes, os.abort)
                raise AssertionError("the process has died")
            except BrokenProcessPool:
                assert not limit.running.locked()


async def main():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "7.scan")
        path.write_bytes(bytes([7]) * 10_000)
        # ANCHOR: call
        cores = os.cpu_count()
        disk, cpu = Limit(32, 100), Limit(cores, 100)
        with (
            ThreadPoolExecutor(32) as threads,
            ProcessPoolExecutor(cores) as processes,
        ):
            scan = await disk.run(threads, path.read_bytes)
            async with asyncio.timeout(5):
                mark = await cpu.run(processes, fingerprint, scan)
            # ANCHOR_END: call
            assert mark == fingerprint(bytes([7]) * 10_000)
            await full(threads)
            await failing(threads)


if __name__ == "__main__":
    asyncio.run(main())
