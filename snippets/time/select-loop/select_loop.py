# ANCHOR: keep
import asyncio


# ANCHOR: source
async def until_stopped(stop, coroutine):
    """The value, or None if `stop` is set first."""
    task = asyncio.create_task(coroutine)
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait(
            [task, stopped], return_when=asyncio.FIRST_COMPLETED
        )
        return task.result() if task.done() else None
    finally:
        task.cancel()
        stopped.cancel()


async def read_scans(reader, stop, inbox):
    """Puts each line into the inbox, until the stream ends or `stop` is set."""
    while line := await until_stopped(stop, reader.readline()):
        await inbox.put(line.decode().rstrip("\n"))
    await inbox.put(None)
# ANCHOR_END: source


# ANCHOR: question
async def count(inbox):
    """How many scans are stored."""
    reply = asyncio.get_running_loop().create_future()
    await inbox.put(reply)
    return await reply
# ANCHOR_END: question


# ANCHOR: loop
async def collect(readers, stop, inbox, store):
    """Handles one message at a time, until all sources have ended."""
    async with asyncio.TaskGroup() as sources:
        for reader in readers:
            sources.create_task(read_scans(reader, stop, inbox))
        running, stored = len(readers), 0
        while running:
            message = await inbox.get()
            if message is None:
                running -= 1
            elif isinstance(message, str):
                await store(message)
                stored += 1
            elif not message.cancelled():
                message.set_result(stored)
    return stored
# ANCHOR_END: loop
# ANCHOR_END: keep


# Carriers that send scans, and what must come of them.
MS = 0.001


def carrier(text, ends):
    reader = asyncio.StreamReader(limit=1024)
    reader.feed_data(text)
    if ends:
        reader.feed_eof()
    return reader


async def run(readers, ask=False):
    """Runs the loop, and stops it after a while."""
    stored, stop, inbox = [], asyncio.Event(), asyncio.Queue(64)

    async def store(scan):
        await asyncio.sleep(MS)
        if scan == "refused":
            raise LookupError(scan)
        stored.append(scan)

    collecting = asyncio.create_task(collect(readers, stop, inbox, store))
    if ask:
        assert await count(inbox) <= len(readers)
    await asyncio.wait([collecting], timeout=50 * MS)
    stop.set()
    try:
        assert await collecting == len(stored)
    except* (ValueError, LookupError, OSError):
        stored.append("an error")
    assert len(asyncio.all_tasks()) == 1
    return " ".join(stored)


async def main():
    both = [carrier(b"a1\na2\n", True), carrier(b"b1\n", True)]
    assert await run(both, ask=True) == "a1 b1 a2"
    # Stopped: what has no line end yet is no scan.
    assert await run([carrier(b"a1\na2\na", False)]) == "a1 a2"
    assert await run([carrier(b"", False)], ask=True) == ""
    assert await run([carrier(b"a1\na", True)]) == "a1 a"
    assert await run([carrier(b"refused\na1\n", False)]) == "an error"
    # An error of a source cancels the loop, and what is in the inbox is lost.
    long = carrier(b"x" * 2000 + b"\n", False)
    assert await run([carrier(b"a1\na2\n", False), long]) == "an error"
    reset = asyncio.StreamReader()
    reset.set_exception(ConnectionResetError())
    assert await run([carrier(b"a1\na2\n", False), reset]) == "an error"


asyncio.run(main())
