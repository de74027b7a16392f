# ANCHOR: keep
import asyncio
import itertools
import logging
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

log = logging.getLogger(__name__)


@dataclass
class Entry:
    name: str
    holds: bool
    line: str
    task: str
    since: float


ENTRIES: dict[int, Entry] = {}
KEYS = itertools.count()


# ANCHOR: mark
@contextmanager
def mark(name, holds, line):
    key, task = next(KEYS), asyncio.current_task().get_name()
    ENTRIES[key] = Entry(name, holds, line, task, time.monotonic())
    try:
        yield
    finally:
        del ENTRIES[key]
# ANCHOR_END: mark


# ANCHOR: hold
def hold(name, lock):
    caller = sys._getframe(1)
    line = f"{caller.f_code.co_filename}:{caller.f_lineno}"
    return hold_at(name, lock, line)


@asynccontextmanager
async def hold_at(name, lock, line):
    async with AsyncExitStack() as stack:
        with mark(name, False, line):
            value = await stack.enter_async_context(lock)
        with mark(name, True, line):
            yield value
# ANCHOR_END: hold


# ANCHOR: watchdog
def watchdog(limit):
    while True:
        time.sleep(limit)
        now = time.monotonic()
        entries = list(ENTRIES.values())
        names = {
            entry.name
            for entry in entries
            if not entry.holds and now - entry.since > limit
        }
        stuck = [entry for entry in entries if entry.name in names]
        stuck.sort(key=lambda entry: not entry.holds)
        for entry in stuck[:20]:
            log.warning("stuck for %.0f s: %s", now - entry.since, entry)
# ANCHOR_END: watchdog
# ANCHOR_END: keep


# A service that waits in each way, and its log.
import queue
import threading
from pathlib import Path

LIMIT = 0.1

lines = queue.Queue()


class Handler(logging.Handler):
    def emit(self, record):
        lines.put(record.args)


log.addHandler(Handler())
log.propagate = False


class State:
    def __init__(self):
        self.parcels, self.labels = asyncio.Lock(), asyncio.Lock()
        self.carrier = asyncio.Semaphore(2)
        self.added = []


# ANCHOR: call
async def add_label(state, parcel):
    async with (
        hold("carrier", state.carrier),
        hold("parcels", state.parcels),
    ):
        await asyncio.sleep(0)  # buys a label
        async with hold("labels", state.labels):
            state.added.append(parcel)
# ANCHOR_END: call


async def remove_label(state):
    async with hold("labels", state.labels):
        await asyncio.sleep(0)
        async with hold("parcels", state.parcels):
            state.added.pop()


async def lock_twice(state):
    async with hold("parcels", state.parcels):
        async with hold("parcels", state.parcels):
            raise AssertionError("asyncio's lock is not reentrant")


async def keep(state):
    async with hold("parcels", state.parcels):
        await asyncio.sleep(60)


async def stuck(expected, *coros):
    """Runs tasks until just these lines are logged, and cancels them."""
    tasks = {}
    for number, coro in enumerate(coros):
        task = asyncio.create_task(coro)
        tasks[task.get_name()] = (number, task)
    found = set()
    places = set()
    while found != expected:
        age, entry = await asyncio.to_thread(lines.get, timeout=30)
        if entry.task in tasks:
            found.add((tasks[entry.task][0], entry.holds, entry.name))
            assert found <= expected, entry
            assert age > LIMIT or entry.holds or len(expected) > 2
            file, place = entry.line.rsplit(":", 1)
            assert file == __file__
            places.add(int(place))
    for _, task in tasks.values():
        task.cancel()
    await asyncio.wait([task for _, task in tasks.values()])
    assert not ENTRIES
    return places


async def many(state):
    """The lines that hold are logged, and the oldest that wait."""
    async def lock_labels_twice():
        async with hold("labels", state.labels):
            async with hold("labels", state.labels):
                raise AssertionError("asyncio's lock is not reentrant")

    tasks = [asyncio.create_task(keep(state)) for _ in range(30)]
    tasks.append(asyncio.create_task(lock_labels_twice()))
    names = [task.get_name() for task in tasks]
    found = set()
    looks = 0
    while looks < 3:
        _, entry = await asyncio.to_thread(lines.get, timeout=30)
        if entry.task == names[-1] and entry.holds:
            looks += 1
            if looks == 1:  # before, the labels may not have been stuck
                found.clear()
        if entry.task in names:
            found.add((names.index(entry.task), entry.holds))
    waits = {(task, False) for task in range(1, 19)}
    assert found == {(0, True), (30, True)} | waits
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def short_waits(state):
    """Whatever is logged has waited for longer than the limit."""
    async def work():
        while True:
            async with hold("labels", state.labels):
                await asyncio.sleep(0.01)

    long = asyncio.create_task(lock_twice(state))
    tasks = [asyncio.create_task(work()) for _ in range(2)]
    looks = 0
    while looks < 3:
        age, entry = await asyncio.to_thread(lines.get, timeout=30)
        looks += entry.task == long.get_name() and not entry.holds
        assert entry.holds or age > LIMIT
    for task in [long, *tasks]:
        task.cancel()
    await asyncio.wait([long, *tasks])


async def panics(state):
    async with hold("parcels", state.parcels):
        raise ValueError("a comma in the address")


async def main():
    state = State()
    # ANCHOR: start
    threading.Thread(target=watchdog, args=(LIMIT,), daemon=True).start()
    # ANCHOR_END: start
    await add_label(state, 7)
    assert state.added == [7] and not ENTRIES
    await remove_label(state)
    assert state.added == [] and not ENTRIES

    text = Path(__file__).read_text().splitlines()
    places = await stuck(
        {
            (0, True, "parcels"), (0, False, "labels"),
            (1, True, "labels"), (1, False, "parcels"),
        },
        add_label(state, 7), remove_label(state),
    )
    assert len(places) == 4
    assert all("hold(" in text[place - 1] for place in places)
    twice = {(0, True, "parcels"), (0, False, "parcels")}
    await stuck(twice, lock_twice(state))
    await many(state)
    await short_waits(state)
    try:
        await panics(state)
        raise AssertionError("it raises")
    except ValueError:
        assert not ENTRIES and not state.parcels.locked()

    # The log goes on while the loop is blocked.
    waiting = asyncio.create_task(lock_twice(state))
    await asyncio.sleep(0)
    while lines.get(timeout=30)[1].task != waiting.get_name():
        pass
    waiting.cancel()
    await asyncio.wait([waiting])


asyncio.run(main())
