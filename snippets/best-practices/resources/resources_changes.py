import asyncio
import sys
from contextlib import asynccontextmanager, suppress

# ANCHOR: finally
reserved = set()  # what the carrier keeps for us


async def reserve(key):
    await asyncio.sleep(0)  # the request is sent
    reserved.add(key)
    await asyncio.sleep(0)  # the response is received


async def release(key):
    await asyncio.sleep(0)
    reserved.discard(key)


@asynccontextmanager
async def reservation(key):
    await reserve(key)
    try:
        yield
    finally:
        await release(key)
# ANCHOR_END: finally


async def deliver(key):
    async with reservation(key):
        await asyncio.Event().wait()


async def cancel(work, steps):
    """Cancels after so many steps, and perhaps again."""
    task = asyncio.create_task(work)
    for step in steps:
        for _ in range(step):
            await asyncio.sleep(0)
        task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def two_cancellations():
    await cancel(deliver(7), [5])
    assert not reserved  # it is released
    await cancel(deliver(7), [5, 1])
    assert reserved == {7}  # the second one cancels `release`
    reserved.clear()


async def a_cancellation_before_try():
    for steps in range(5):
        await cancel(deliver(steps), [steps])
    assert reserved == {2}  # reserved, and `try` is not reached


# ANCHOR: kill
async def first_line(*command):
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE
    )
    try:
        return await process.stdout.readline()
    finally:
        with suppress(ProcessLookupError):  # it has ended
            process.kill()
        await process.wait()
# ANCHOR_END: kill


async def a_child_that_has_ended():
    command = sys.executable, "-c", "print('Bergen')"
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE
    )
    await process.communicate()
    try:
        process.kill()
        raise AssertionError("there was a process to kill")
    except ProcessLookupError:
        pass
    assert await first_line(*command) == b"Bergen\n"
    forever = "print('Bergen', flush=True); import time; time.sleep(1000)"
    assert await first_line(sys.executable, "-c", forever) == b"Bergen\n"


async def main():
    await two_cancellations()
    await a_cancellation_before_try()
    await a_child_that_has_ended()


asyncio.run(main())
