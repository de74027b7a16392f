import asyncio
import gc
import os
import tempfile
import threading
import weakref
from contextlib import aclosing
from pathlib import Path


# ANCHOR: recipe
async def read_lines(path):
    with open(path) as file:
        while line := file.readline():
            yield line
            await asyncio.sleep(0)
# ANCHOR_END: recipe


async def read_lines_in_a_thread(path):
    with await asyncio.to_thread(open, path) as file:
        while line := await asyncio.to_thread(file.readline):
            yield line


async def heartbeats_during(read, path):
    """How many of 100 callbacks run while the disk takes its time."""
    loop = asyncio.get_running_loop()
    os.mkfifo(path)
    beats, done, heard = [], threading.Event(), []

    def slow_disk():
        with open(path, "w") as disk:
            for _ in range(100):
                loop.call_soon_threadsafe(beats.append, "beat")
            loop.call_soon_threadsafe(done.set)
            done.wait(timeout=0.4)
            heard.append(len(beats))
            disk.write("7;lamp\n")

    disk = threading.Thread(target=slow_disk)
    disk.start()
    async with aclosing(read(path)) as lines:
        assert await anext(lines) == "7;lamp\n"
    disk.join()
    return heard.pop()


async def a_slow_disk(folder):
    # ANCHOR: freezes
    # Of a neighbour's 100 callbacks, while one line is read:
    heard = await heartbeats_during(read_lines, folder / "pipe")
    assert heard == 0
    in_thread = folder / "other pipe"
    heard = await heartbeats_during(read_lines_in_a_thread, in_thread)
    assert heard == 100
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


async def a_collection_a_line(path):
    def note(phase, info):
        if phase == "start" and info["generation"] == 2:
            visited.append(len(gc.get_objects()))
        if phase == "stop":
            found.append(info["collected"])

    gc.collect()
    visited, found = [], []
    gc.callbacks.append(note)
    # ANCHOR: collects
    many = 10_000
    async for line in read_lines(path):
        del line
        if many < len(gc.get_objects()):
            gc.collect()
    # Each of 100 lines, and each time every object that there is.
    assert len(visited) == 100 and min(visited) > many
    # Nothing was found. A line is not even something to look at.
    assert sum(found) == 0
    assert not gc.is_tracked("7;lamp\n")
    # ANCHOR_END: collects
    gc.callbacks.remove(note)


def what_it_is_for():
    class Shop:
        pass

    # ANCHOR: cycle
    shop = Shop()
    shop.myself = shop
    left = weakref.ref(shop)
    del shop
    assert left() is not None
    gc.collect()
    assert left() is None
    # ANCHOR_END: cycle


async def main():
    with tempfile.TemporaryDirectory() as folder:
        await a_slow_disk(Path(folder))
        export = Path(folder, "export")
        export.write_text("7;lamp\n" * 100)
        await an_early_break(export)
        await a_collection_a_line(export)
    what_it_is_for()


asyncio.run(main())
