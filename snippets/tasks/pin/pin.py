# ANCHOR: keep
import asyncio


# ANCHOR: feed
class Feed:
    """The events of a carrier. `next` fails if none comes for `silence`."""

    def __init__(self, events, silence):
        self.events, self.silence = events, silence

    async def next(self):
        """The next event, or None at the end. Not cancel-safe."""
        async with asyncio.timeout(self.silence):
            return await anext(self.events, None)
# ANCHOR_END: feed


async def save_newest(feed, save):
    """Saves the newest event, one at a time, and reads on while a save runs.

    After an error it reads no more, saves the newest event, and raises.
    """
    reading = asyncio.ensure_future(feed.next())
    saving = newest = outcome = None
    try:
        while True:
            # ANCHOR: start
            if not saving and newest is not None:
                saving = asyncio.ensure_future(save(newest))
                newest = None
            if not saving and not reading:
                break
            # ANCHOR_END: start
            # ANCHOR: wait
            tasks = {task for task in (reading, saving) if task}
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if reading and reading.done():
                error = reading.exception()
                event = None if error else reading.result()
                if event is None:
                    reading, outcome = None, error
                else:
                    reading = asyncio.ensure_future(feed.next())
                    newest = event
            if saving and saving.done():
                if error := saving.exception():
                    outcome = outcome or error
                    if reading:
                        reading.cancel()
                        reading = None
                saving = None
            # ANCHOR_END: wait
    finally:
        for task in filter(None, (reading, saving)):
            task.cancel()
    if outcome:
        raise outcome
# ANCHOR_END: keep


# A carrier that sends an event a second, and what must come of it. The Rust
# program saves the same events.
import selectors


class Clock(selectors.DefaultSelector):
    """Jumps to the next timer, as tokio's paused clock does."""

    now = 0

    def select(self, timeout=None):
        self.now += timeout or 0
        return super().select(0)


async def scans(last, silent, read):
    """Events 1 to `last`, one a second, and notes what is read."""
    for event in range(1, last + 1):
        await asyncio.sleep(1)
        read.append(event)
        yield event
    if silent:
        await asyncio.Event().wait()
    await asyncio.sleep(1)


class Store:
    def __init__(self, fails=()):
        self.saved, self.running, self.fails = [], 0, fails

    async def save(self, event):
        self.running += 1
        assert self.running == 1
        try:
            if event in self.fails:
                await asyncio.sleep(1)
                raise OSError(f"event {event} is not saved")
            await asyncio.sleep(2.5)
            self.saved.append(event)
        finally:
            self.running -= 1


async def main():
    events, store = scans(5, False, []), Store()
    # ANCHOR: call
    feed = Feed(events, silence=60)
    limit = 5  # of one save

    async def save(event):
        async with asyncio.timeout(limit):
            await store.save(event)

    await save_newest(feed, save)
    # ANCHOR_END: call
    assert store.saved == [1, 3, 5]

    for last, silent, fails, error, saved in [
        (4, True, [], "", [1, 3, 4]),
        (4, True, [4], "", [1, 3]),
        (5, False, [3], "event 3 is not saved", [1, 4]),
        (5, False, [3, 4], "event 3 is not saved", [1]),
        (5, False, [5], "event 5 is not saved", [1, 3]),
    ]:
        store, read = Store(fails), []
        feed = Feed(scans(last, silent, read), 1.5)
        try:
            await save_newest(feed, store.save)
            raise AssertionError("it fails")
        except OSError as found:  # a TimeoutError, too
            assert str(found) == error
        assert store.saved == saved
        # After a save has failed, the next event is not read.
        assert read[-1] == (4 if 3 in fails else last)
        await asyncio.sleep(0)  # what is cancelled ends
        assert len(asyncio.all_tasks()) == 1

    # The caller gives up in the first save.
    store = Store()
    try:
        async with asyncio.timeout(2):
            feed = Feed(scans(5, False, []), 60)
            await save_newest(feed, store.save)
        raise AssertionError("it takes longer")
    except TimeoutError:
        await asyncio.sleep(0)
    assert (store.saved, store.running) == ([], 0)
    assert len(asyncio.all_tasks()) == 1


def paused():
    clock = Clock()
    loop = asyncio.SelectorEventLoop(clock)
    loop.time = lambda: clock.now
    return loop


with asyncio.Runner(loop_factory=paused) as runner:
    runner.run(main())
