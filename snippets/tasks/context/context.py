import asyncio

# ANCHOR: court
from contextvars import ContextVar

# ANCHOR: case
CASE = ContextVar("case", default=None)
# ANCHOR_END: case
log = []


# ANCHOR: note
def note(what):
    log.append(f"case {CASE.get()}: {what}")
# ANCHOR_END: note


async def hear(hours):
    note("opened")
    await asyncio.sleep(hours / 100)
    # ANCHOR: spawn
    await asyncio.create_task(copy())
    # ANCHOR_END: spawn
    # ANCHOR: thread
    await asyncio.to_thread(note, "filed")
    # ANCHOR_END: thread


async def copy():
    note("copied")


# ANCHOR: handle
async def handle(case, hours):
    CASE.set(case)
    await hear(hours)
# ANCHOR_END: handle


async def main():
    # ANCHOR: both
    await asyncio.gather(handle(7, 2), handle(8, 1))
    # ANCHOR_END: both
# ANCHOR_END: court
    assert log == [
        "case 7: opened",
        "case 8: opened",
        "case 8: copied",
        "case 8: filed",
        "case 7: copied",
        "case 7: filed",
    ]


asyncio.run(main())
