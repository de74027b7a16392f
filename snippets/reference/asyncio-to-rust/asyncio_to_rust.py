import asyncio
import contextlib
import contextvars
import gc
import os
import signal
import sys
import threading
import time
import weakref

log = []


def logged():
    entries = log[:]
    log.clear()
    return entries


async def turns(count=20):
    for _ in range(count):
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def times_out():
    try:
        async with asyncio.timeout(0):
            yield
        raise AssertionError("it was in time")
    except TimeoutError:
        log.append("timed out")


# ANCHOR: tasks
SHIP = contextvars.ContextVar("ship", default=None)


async def ship():
    return SHIP.get(), threading.get_ident()


async def at_sea():
    await asyncio.get_running_loop().create_future()


async def tasks():
    coroutine = ship()  # as lazy as a future
    here = await coroutine
    assert asyncio.current_task() is not None, "main is a task"

    # A task inherits the context, and runs on the same thread.
    SHIP.set("Vega")
    assert await asyncio.create_task(ship()) == ("Vega", here[1])

    # The loop's reference to it is weak. Drop yours, and it may be gone.
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, what: log.append(what["message"]))
    task = weakref.ref(asyncio.create_task(at_sea()))
    await turns()
    gc.collect()
    assert task() is None
    assert logged() == ["Task was destroyed but it is pending!"]
    loop.set_exception_handler(None)
# ANCHOR_END: tasks


# ANCHOR: joining
async def unload(name, needs=9):
    try:
        await turns(needs)
        if name == "Wreck":
            raise OSError("the crane is too short")
        log.append(name)
    except asyncio.CancelledError:
        await asyncio.sleep(0)
        log.append(f"{name}: stopped")
        raise
    return name


async def joining():
    # gather raises the error, and the sibling runs on.
    try:
        await asyncio.gather(unload("Wreck", 1), unload("Vega"))
    except OSError:
        log.append("failed")
    await turns()
    assert logged() == ["failed", "Vega"]

    # A TaskGroup cancels the sibling, and waits until it is gone.
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(unload("Wreck", 1))
            group.create_task(unload("Vega"))
    except* OSError:
        log.append("failed")
    assert logged() == ["Vega: stopped", "failed"]

    # wait keeps the one that is late.
    lyra = asyncio.create_task(unload("Lyra"))
    vega = asyncio.create_task(unload("Vega", 1))
    first = asyncio.FIRST_COMPLETED
    done, late = await asyncio.wait({lyra, vega}, return_when=first)
    assert (done, late) == ({vega}, {lyra})
    assert await lyra == "Lyra"
    assert logged() == ["Vega", "Lyra"]
# ANCHOR_END: joining


# ANCHOR: cancelling
async def cancelling():
    # A timeout raises in the coroutine, and waits for what it does then.
    async with times_out():
        await unload("Vega")
    assert logged() == ["Vega: stopped", "timed out"]

    async with times_out():
        await asyncio.shield(vega := asyncio.create_task(unload("Vega")))
    await vega
    assert logged() == ["timed out", "Vega"]

    # A task can refuse.
    async def stubborn():
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            return "sails on"

    boat = asyncio.create_task(stubborn())
    await turns()
    boat.cancel()
    assert await boat == "sails on" and not boat.cancelled()
# ANCHOR_END: cancelling


# ANCHOR: timers
async def timers():
    loop = asyncio.get_running_loop()
    loop.call_later(0, log.append, "horn")
    loop.call_later(0, log.append, "never").cancel()
    await turns()
    assert logged() == ["horn"]

    # A loop around sleep drifts by the time that its work takes.
    start = loop.time()
    for _ in range(3):
        await asyncio.sleep(0.01)
        time.sleep(0.01)
    assert loop.time() - start > 0.055
# ANCHOR_END: timers


# ANCHOR: threads
async def threads():
    begun, tide = threading.Event(), threading.Event()

    def dredge():
        begun.set()
        tide.wait()
        log.append(SHIP.get())  # the thread inherits the context, too

    job = asyncio.create_task(asyncio.to_thread(dredge))
    while not begun.is_set():
        await asyncio.sleep(0)
    job.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await job
    tide.set()  # cancelled, and still there
    while not log:
        await asyncio.sleep(0)
    assert logged() == ["Vega"]

    loop = asyncio.get_running_loop()

    def pilot():
        boat = asyncio.sleep(0, "on board")
        return asyncio.run_coroutine_threadsafe(boat, loop).result()

    assert await asyncio.to_thread(pilot) == "on board"
# ANCHOR_END: threads


# ANCHOR: queues
async def queues():
    hold = asyncio.Queue()
    assert hold.maxsize == 0, "no bound"
    hold.put_nowait("tea")
    hold.get_nowait()
    async with times_out():
        await hold.join()  # it counts the calls of task_done
    hold.task_done()
    await hold.join()
    async with times_out():
        await hold.get()  # nothing says that no more will come
    assert hasattr(hold, "shutdown") == (sys.version_info >= (3, 13))

    answer = asyncio.get_running_loop().create_future()
    async with times_out():
        await answer  # nobody will set a result, and nobody says so
    try:
        answer.set_result("tea")
        raise AssertionError("it was cancelled with whoever waited")
    except asyncio.InvalidStateError:
        pass

    ships = asyncio.PriorityQueue()
    for metres in [90, 240, 120]:
        ships.put_nowait(metres)
    assert ships.get_nowait() == 90, "the least first"
    assert logged() == ["timed out"] * 3
# ANCHOR_END: queues


# ANCHOR: sync
async def sync():
    crane = asyncio.Lock()
    await asyncio.create_task(crane.acquire())
    crane.release()  # anybody may

    gate = asyncio.Event()
    gate.set()
    await gate.wait()
    await gate.wait()  # sticky, until clear

    level = asyncio.Condition()
    try:
        level.notify_all()
        raise AssertionError("it needs the lock")
    except RuntimeError:
        pass

    berths = asyncio.Semaphore(1)
    berths.release()  # one too many: now there are two
    await berths.acquire()
    await berths.acquire()
    try:
        asyncio.BoundedSemaphore(1).release()
        raise AssertionError("one too many")
    except ValueError:
        pass

    convoy = asyncio.Barrier(2)
    async with times_out():
        await convoy.wait()
    assert convoy.n_waiting == 0, "who has given up is not counted"
    assert logged() == ["timed out"]
# ANCHOR_END: sync


# ANCHOR: cleanup
@contextlib.asynccontextmanager
async def rope(name):
    try:
        yield
    finally:
        await asyncio.sleep(0)  # also when it is cancelled
        log.append(name)


async def cleanup():
    async with times_out():
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(rope("bow"))
            await stack.enter_async_context(rope("stern"))
            await asyncio.sleep(3600)
    assert logged() == ["stern", "bow", "timed out"]
# ANCHOR_END: cleanup


# ANCHOR: iteration
async def ships():
    try:
        for number in [1, 2, 3]:
            yield number
    finally:
        log.append("put away")


async def iteration():
    generator = ships()
    async for _ in generator:
        break
    assert logged() == [], "it is open"
    await generator.aclose()
    assert logged() == ["put away"]
# ANCHOR_END: iteration


# ANCHOR: io
async def io():
    radio = asyncio.StreamReader()
    radio.feed_data(65 * 1024 * b"-" + b"\n")
    try:
        await radio.readline()
        raise AssertionError("the limit is 64 KiB")
    except ValueError:
        pass

    horn = await asyncio.create_subprocess_exec("sleep", "1000")
    async with times_out():
        await horn.wait()
    assert horn.returncode is None, "it runs on"
    horn.kill()
    await horn.wait()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, log.append, "hang up")
    os.kill(os.getpid(), signal.SIGHUP)
    await turns()
    assert logged() == ["timed out", "hang up"]
# ANCHOR_END: io


async def main():
    await tasks()
    await joining()
    await cancelling()
    await timers()
    await threads()
    await queues()
    await sync()
    await cleanup()
    await iteration()
    await io()


asyncio.run(main())
