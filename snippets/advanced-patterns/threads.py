# ANCHOR: threads
import asyncio
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path


def fingerprint(photo):
    mark = 7
    for byte in photo:
        mark = (mark * 31 + byte) % 2**32
    return mark


async def develop(path, processes):
    loop = asyncio.get_running_loop()
    # Waits for the disk: a thread will do.
    photo = await asyncio.to_thread(path.read_bytes)
    # Needs a processor: only another process runs beside this one.
    return await loop.run_in_executor(processes, fingerprint, photo)


async def main():
    with tempfile.TemporaryDirectory() as archive:
        paths = [Path(archive, f"{n}.raw") for n in range(1, 5)]
        for n, path in enumerate(paths, start=1):
            path.write_bytes(bytes([n]) * 10_000)
        # One pool for the whole program.
        with ProcessPoolExecutor(2) as processes:
            calls = [develop(path, processes) for path in paths]
            marks = await asyncio.gather(*calls)
        assert marks == [fingerprint(path.read_bytes()) for path in paths]


# ANCHOR_END: threads
if __name__ == "__main__":
    asyncio.run(main())
