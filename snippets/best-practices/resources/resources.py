import asyncio
import os
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager

import aiosqlite


# ANCHOR: send
@asynccontextmanager
async def teleprinter(draft):
    process = await asyncio.create_subprocess_exec(
        "tail", "-n", "+1", "-f", draft, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process.stdout
    finally:
        process.kill()
        await process.wait()


async def send(desks, archive, folder):
    # ANCHOR: desk
    async with desks, aiosqlite.connect(archive) as db:
    # ANCHOR_END: desk
        # ANCHOR: story
        async with db.execute("SELECT 'Rain in Bergen'") as rows:
            (story,) = await rows.fetchone()
        # ANCHOR_END: story
        # ANCHOR: draft
        with tempfile.NamedTemporaryFile("w", dir=folder) as draft:
            draft.write(f"{story}\n")
            draft.flush()
        # ANCHOR_END: draft
            async with teleprinter(draft.name) as paper:
                return await paper.readline()
# ANCHOR_END: send


async def main():
    desks = asyncio.Semaphore(1)
    with tempfile.TemporaryDirectory() as folder:
        sent = await send(desks, ":memory:", folder)
        assert sent == b"Rain in Bergen\n"
        assert os.listdir(folder) == []
        await two_cancels()
        await cancelled_while_it_acquires()


# ANCHOR: defects
held = set()  # the lines that the exchange holds for us


async def reserve(line):
    await asyncio.sleep(0)  # the request is under way
    held.add(line)
    await asyncio.sleep(0)  # the answer is under way


async def release(line):
    await asyncio.sleep(0)
    held.discard(line)


@asynccontextmanager
async def open_line(line):
    await reserve(line)
    try:
        yield
    finally:
        await release(line)


async def cancel(work, steps):
    task = asyncio.create_task(work)
    for step in steps:
        for _ in range(step):
            await asyncio.sleep(0)
        task.cancel()
    await asyncio.wait([task])
    return task.cancelled()


async def talk(line):
    async with open_line(line):
        await asyncio.Event().wait()


async def two_cancels():
    await cancel(talk(7), [5])
    assert not held  # one cancellation: the line is given back
    await cancel(talk(7), [5, 1])
    assert held == {7}  # two: the second one cuts `release` short
    held.clear()


async def cancelled_while_it_acquires():
    for steps in range(5):
        await cancel(talk(steps), [steps])
    assert held == {2}  # reserved, and `try` was not reached
# ANCHOR_END: defects


asyncio.run(main())
