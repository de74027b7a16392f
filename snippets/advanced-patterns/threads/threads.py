# ANCHOR: threads
import asyncio
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path


# ANCHOR: fingerprint
def fingerprint(photo):
    mark = 7
    for byte in photo:
        mark = (mark * 31 + byte) & 0xFFFFFFFF
    return mark
# ANCHOR_END: fingerprint


async def develop(path, processes):
    loop = asyncio.get_running_loop()
    # ANCHOR: disk
    # Waits for the disk: a thread will do.
    photo = await asyncio.to_thread(path.read_bytes)
    # ANCHOR_END: disk
    # ANCHOR: processor
    # Needs a processor: only another process runs beside this one.
    return await loop.run_in_executor(processes, fingerprint, photo)
    # ANCHOR_END: processor


async def main():
    # ANCHOR: archive
    with tempfile.TemporaryDirectory() as archive:
        paths = [Path(archive, f"{n}.raw") for n in range(1, 5)]
        for n, path in enumerate(paths, start=1):
            path.write_bytes(bytes([n]) * 10_000)
    # ANCHOR_END: archive
        # ANCHOR: pool
        # One pool for the whole program.
        with ProcessPoolExecutor(2) as processes:
        # ANCHOR_END: pool
            # ANCHOR: gather
            calls = [develop(path, processes) for path in paths]
            marks = await asyncio.gather(*calls)
            # ANCHOR_END: gather
        assert marks == [fingerprint(path.read_bytes()) for path in paths]
# ANCHOR_END: threads


if __name__ == "__main__":
    asyncio.run(main())
