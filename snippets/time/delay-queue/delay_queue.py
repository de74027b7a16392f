# ANCHOR: keep
import asyncio


class Full(Exception):
    """The schedule takes no more jobs."""


class Schedule:
    # ANCHOR: new
    def __init__(self, capacity):
        self.jobs, self.due = {}, asyncio.Queue()
        self.capacity = capacity
    # ANCHOR_END: new

    # ANCHOR: call_later
    def call_later(self, name, job, delay):
        """Returns the job that it replaces."""
        if name not in self.jobs and len(self.jobs) >= self.capacity:
            raise Full(job)
        replaced = self.cancel(name)
        entry = (name, job)
        loop = asyncio.get_running_loop()
        handle = loop.call_later(delay, self.due.put_nowait, entry)
        self.jobs[name] = (handle, entry)
        return replaced
    # ANCHOR_END: call_later

    # ANCHOR: cancel
    def cancel(self, name):
        if name not in self.jobs:
            return None
        handle, (_, job) = self.jobs.pop(name)
        handle.cancel()
        return job
    # ANCHOR_END: cancel

    # ANCHOR: next
    async def next(self):
        """Waits until a job is due. Returns its name, the job, its deadline."""
        while True:
            entry = await self.due.get()
            name, job = entry
            handle, current = self.jobs.get(name, (None, None))
            if current is entry:  # it was not cancelled in the meantime
                del self.jobs[name]
                return name, job, handle.when()
    # ANCHOR_END: next
# ANCHOR_END: keep


# Reminders for parcels that wait at a shop, and what must come of them.
import logging


class PausedLoop(asyncio.SelectorEventLoop):
    """Its clock jumps to the next timer when nothing else can run."""

    paused_at = 0.0

    def __init__(self):
        super().__init__()
        select = self._selector.select

        def jump(timeout):
            self.paused_at += timeout or 0
            return select(timeout and 0)

        self._selector.select = jump

    def time(self):
        return round(self.paused_at, 3)


async def remind(parcel, text):
    """Sends a reminder, in five seconds."""
    await asyncio.sleep(5)
    if parcel == 13:
        raise ValueError("a comma in the address")


async def main():
    now = asyncio.get_running_loop().time

    # ANCHOR: call
    async def work():
        while True:
            parcel, text, deadline = await reminders.next()
            logging.info("%s: late by %s s", parcel, now() - deadline)
            try:
                await remind(parcel, text)
            except Exception:
                logging.exception("%s: not reminded", parcel)

    reminders = Schedule(1_000)
    workers = [asyncio.create_task(work()) for _ in range(3)]
    try:
        reminders.call_later(7, "It waits.", 3600)
    except Full as full:
        logging.error("7: not scheduled: %s", full)
    # ANCHOR_END: call
    logging.disable()
    for parcel in [13, 14, 15, 16]:
        reminders.call_later(parcel, "It waits.", 1)
    await asyncio.sleep(60)
    assert [*reminders.jobs] == [7] and not any(w.done() for w in workers)
    for worker in workers:
        worker.cancel()

    # In the order of the deadlines. One is moved, one cancelled.
    reminders, begun, received = Schedule(8), now(), []

    async def receive():
        while True:
            parcel, text, deadline = await reminders.next()
            received.append((now() - begun, parcel, text))

    receiver = asyncio.create_task(receive())
    for parcel, delay in [(1, 60), (2, 90), (3, 30), (4, 0)]:
        assert reminders.call_later(parcel, "first", delay) is None
    assert reminders.call_later(3, "second", 70) == "first"
    handle, _ = reminders.jobs[1]
    assert reminders.cancel(1) == "first"
    assert handle.cancelled()
    assert reminders.cancel(1) is None
    await asyncio.sleep(10)
    assert reminders.call_later(5, "first", 10) is None
    await asyncio.sleep(100)
    assert reminders.cancel(2) is None, "it was received"
    assert received == [
        (0, 4, "first"), (20, 5, "first"), (70, 3, "second"), (90, 2, "first")
    ]
    receiver.cancel()

    # A slow worker: what is due can be cancelled until it is received.
    reminders = Schedule(8)
    for parcel, delay in [(1, 10), (2, 11), (3, 12)]:
        reminders.call_later(parcel, "first", delay)
    await asyncio.sleep(13)
    assert reminders.cancel(2) == "first"
    received = [await reminders.next() for _ in range(2)]
    late = [(parcel, now() - deadline) for parcel, _, deadline in received]
    assert late == [(1, 3), (3, 1)]

    # Full.
    reminders = Schedule(1)
    reminders.call_later(1, "one", 1)
    try:
        reminders.call_later(2, "two", 1)
        raise AssertionError("accepted")
    except Full:
        assert reminders.call_later(1, "again", 1) == "one"


with asyncio.Runner(loop_factory=PausedLoop) as runner:
    runner.run(main())
