# ANCHOR: keep
import asyncio
from contextlib import aclosing


# ANCHOR: macro
async def events(scanner):
    """An async generator."""
    try:
        while (event := await scanner.read()) is not None:
            yield event
    finally:
        scanner.close()
# ANCHOR_END: macro


# ANCHOR: unfold
class Unfolded:
    """The same without a generator. `aclose` closes the scanner."""

    def __init__(self, scanner):
        self.scanner = scanner

    def __aiter__(self):
        return self

    async def __anext__(self):
        event = await self.scanner.read()
        if event is None:
            raise StopAsyncIteration
        return event

    async def aclose(self):
        self.scanner.close()
# ANCHOR_END: unfold


# ANCHOR: produce
async def produce(capacity, producer):
    """Items that a task sends. Its error is raised after the last item."""
    # The semaphore limits the items. The queue has always room for `end`.
    queue, places = asyncio.Queue(), asyncio.Semaphore(capacity)
    end = object()

    async def send(item):
        await places.acquire()
        queue.put_nowait(item)

    task = asyncio.create_task(producer(send))
    task.add_done_callback(lambda _: queue.put_nowait(end))
    try:
        while (item := await queue.get()) is not end:
            places.release()
            yield item
        await task
    finally:
        task.cancel()
        await asyncio.wait([task])
# ANCHOR_END: produce


# ANCHOR: consume
async def first_city(events, parcel):
    """The city where a parcel was scanned first, or the error before that."""
    async with aclosing(events):
        async for id, city in events:
            if id == parcel:
                return city
# ANCHOR_END: consume
# ANCHOR_END: keep


# A scanner that reads an event a second, and what must come of it.
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


class Belt:
    """Parcels 1 to 5, and how it ends."""

    def __init__(self, end):
        self.end = end
        self.reads = 0
        self.closed = False

    async def read(self):
        await asyncio.sleep(1)
        self.reads += 1
        if self.reads < 6:
            return self.reads, "Hamburg"
        if self.end == "fails":
            raise OSError("the scanner fails")
        if self.end == "hangs":
            await asyncio.Event().wait()

    def close(self):
        self.closed = True


def read_ahead(scanner):
    # ANCHOR: call
    async def producer(send):
        try:
            while (event := await scanner.read()) is not None:
                await send(event)  # waits while two are in the queue
        finally:
            scanner.close()

    events = produce(2, producer)
    # ANCHOR_END: call
    return events


WAYS = [events, Unfolded, read_ahead]


async def drain(events):
    """How many events there are, and how it ends."""
    count = 0
    try:
        async for parcel, _ in events:
            count += 1
            assert parcel == count
    except OSError as error:
        return count, str(error)
    return count, None


async def slow_consumer(events):
    async for _ in events:
        await asyncio.sleep(1)


async def main():
    now = asyncio.get_running_loop().time
    for way in WAYS:
        for end, expected in [("", None), ("fails", "the scanner fails")]:
            scanner, start = Belt(end), now()
            assert await drain(way(scanner)) == (5, expected)
            assert (scanner.reads, now() - start) == (6, 6)

        # The consumer ends early.
        scanner = Belt("hangs")
        assert await first_city(way(scanner), 2) == "Hamburg"
        assert scanner.closed
        await asyncio.sleep(60)
        assert scanner.reads == 2
        assert await first_city(way(Belt("")), 9) is None
        try:
            await first_city(way(Belt("fails")), 9)
            raise AssertionError("it fails")
        except OSError:
            pass

        # A minute after the first event, and how long a slow consumer takes.
        scanner = Belt("hangs")
        stream = way(scanner)
        await asyncio.sleep(60)
        assert scanner.reads == 0, "nothing runs before the first `anext`"
        await anext(stream)
        await asyncio.sleep(60)
        assert scanner.reads == (4 if way is read_ahead else 1)
        await stream.aclose()
        assert scanner.closed
        start = now()
        await slow_consumer(way(Belt("")))
        assert now() - start == (6 if way is read_ahead else 11)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=PausedLoop) as runner:
        runner.run(main())
