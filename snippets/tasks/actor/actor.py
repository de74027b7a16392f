# ANCHOR: keep
import asyncio

CLOSED = object()


class Ended(Exception):
    """The actor has ended."""


class Handle:
    """Sends requests to an actor, an object with a method `handle`."""

    # ANCHOR: start
    def __init__(self, actor, capacity):
        """Starts an actor. Its task returns the state when the actor ends."""
        self.requests = asyncio.Queue()
        self.places = asyncio.Semaphore(capacity)
        self.closed = False
        self.task = asyncio.create_task(self.run(actor))
    # ANCHOR_END: start

    # ANCHOR: ask
    async def ask(self, *request):
        """Waits for a place in the queue, and then for the reply."""
        await self.places.acquire()
        if self.closed:
            self.places.release()  # for the next one that waits
            raise Ended
        reply = asyncio.get_running_loop().create_future()
        self.requests.put_nowait((request, reply))
        first = asyncio.FIRST_COMPLETED
        try:
            await asyncio.wait({reply, self.task}, return_when=first)
            if reply.done():
                return reply.result()
            raise Ended
        finally:
            reply.cancel()  # nothing, if it is there
    # ANCHOR_END: ask

    # ANCHOR: run
    async def run(self, actor):
        """Serves until `close` is called."""
        try:
            while (item := await self.requests.get()) is not CLOSED:
                self.places.release()
                request, reply = item
                await actor.handle(request, reply)
            return actor
        finally:
            self.closed = True
            self.places.release()  # for those that wait

    def close(self):
        """Refuses new requests. The accepted ones are served."""
        self.closed = True
        self.requests.put_nowait(CLOSED)
    # ANCHOR_END: run
# ANCHOR_END: keep


# ANCHOR: printer
TIMEOUT = 5


class Printer:
    """A connection to a label printer, and the print job of each parcel."""

    def __init__(self, addr):
        self.addr, self.conn, self.jobs = addr, None, {}

    async def handle(self, request, reply):
        if reply.cancelled():
            return
        try:
            match request:
                case "count",:
                    result = len(self.jobs)
                case "print", parcel:
                    async with asyncio.timeout(TIMEOUT):
                        result = await self.print(parcel)
        except Exception as error:
            if not reply.cancelled():
                reply.set_exception(error)
        else:
            if not reply.cancelled():
                reply.set_result(result)

    async def print(self, parcel):
        """Prints the label of a parcel once."""
        if parcel in self.jobs:
            return self.jobs[parcel]
        # After an error it is not put back: a late reply may come on it.
        conn, self.conn = self.conn, None
        if conn and not await nothing_to_read(conn[0]):
            conn[1].close()
            conn = None
        reader, writer = conn or await asyncio.open_connection(*self.addr)
        try:
            writer.write(b"print %d\n" % parcel)
            await writer.drain()
            line = await reader.readuntil()
            job = int(line)
            self.conn = reader, writer
        finally:
            if not self.conn:
                writer.close()
        self.jobs[parcel] = job
        return job


async def nothing_to_read(reader):
    """False: a second line has come after a reply, or the end."""
    try:
        async with asyncio.timeout(0):
            await reader.read(1)
    except TimeoutError:
        return True
    return False
# ANCHOR_END: printer


# A fake printer, and callers that give up, at an actor that ends in each way.
class PausedLoop(asyncio.SelectorEventLoop):
    """Its clock jumps to the next timer when nothing else can run."""

    paused_at = 0.0

    def __init__(self):
        super().__init__()
        select = self._selector.select

        def jump(timeout):
            if ready := select(0):
                return ready
            self.paused_at += timeout or 0
            return select(timeout and 0)

        self._selector.select = jump

    def time(self):
        return round(self.paused_at, 3)


class Fake:
    """A printer: a label takes a second. It counts its jobs from 1."""

    def __init__(self):
        self.printed = []

    async def serve(self, reader, writer):
        while line := await reader.readline():
            parcel = int(line.removeprefix(b"print "))
            if parcel == 400:
                writer.write(b"jam\n")
                continue
            if parcel == 500:
                writer.write(b"4")
                break
            if parcel == 700:
                writer.write(b"70\n71\n")
                continue
            if parcel == 800:
                writer.write(b"80\n")
                break
            await asyncio.sleep(7 if parcel == 600 else 1)
            self.printed.append(parcel)
            writer.write(b"%d\n" % len(self.printed))
        writer.close()


class Faulty(Printer):
    all = []

    def __init__(self, addr):
        super().__init__(addr)
        self.all.append(self)

    async def handle(self, request, reply):
        if request == ("print", 99):
            await asyncio.sleep(1)
            raise ValueError("parcel 99 has no address")
        await super().handle(request, reply)


async def ends(handle, *parcels):
    """What each caller gets, and after how many seconds."""
    loop = asyncio.get_running_loop()
    start = loop.time()

    async def caller(parcel):
        try:
            result = await handle.ask("print", parcel)
        except Exception as error:
            result = type(error)
        return loop.time() - start, result

    return await asyncio.gather(*(caller(parcel) for parcel in parcels))


async def gives_up(seconds, asking):
    try:
        async with asyncio.timeout(seconds):
            await asking
    except TimeoutError:
        return True
    return False


async def main():
    fake = Fake()
    server = await asyncio.start_server(fake.serve, "127.0.0.1")
    addr = server.sockets[0].getsockname()

    # ANCHOR: call
    handle = Handle(Printer(addr), capacity=3)
    job = await handle.ask("print", 7)
    count = await handle.ask("count")
    handle.close()  # at the shutdown
    printer = await asyncio.wait_for(handle.task, 25)  # or cancels it
    # ANCHOR_END: call
    assert (job, count) == (1, 1)
    assert printer.jobs == {7: 1}
    assert await ends(handle, 8) == [(0, Ended)]

    # In order. A caller gives up: being served, in the queue, and before it.
    handle = Handle(Faulty(addr), 1)
    assert await ends(handle, 1, 2, 3) == [(1, 2), (2, 3), (3, 4)]
    callers = [handle.ask("print", parcel) for parcel in (11, 12, 13)]
    assert await gives_up(0.5, asyncio.gather(*callers))
    await asyncio.sleep(60)
    assert fake.printed[-1] == 11 and len(fake.printed) == 5
    assert await ends(handle, 11) == [(0, 5)]

    # The printer is slow, or fails.
    assert await ends(handle, 600) == [(5, TimeoutError)]
    assert await ends(handle, 21) == [(1, 6)]
    assert await ends(handle, 400) == [(0, ValueError)]
    assert await ends(handle, 500) == [(0, asyncio.IncompleteReadError)]
    assert await ends(handle, 22) == [(1, 8)]

    # It sends two lines, or closes the connection after the reply.
    for parcel, job in [(700, 70), (800, 80)]:
        assert await ends(handle, parcel) == [(0, job)]
        await asyncio.sleep(1)
        conn = Faulty.all[-1].conn
        assert await ends(handle, parcel + 1) == [(1, len(fake.printed))]
        assert conn[1].is_closing()
    handle.close()
    await handle.task

    # It is closed: one is served, two are accepted, and two are not.
    handle = Handle(Faulty(addr), 2)
    asyncio.get_running_loop().call_later(0.5, handle.close)
    served = await ends(handle, 31, 32, 33, 34, 35)
    assert served == [(1, 11), (2, 12), (3, 13), (1, Ended), (1, Ended)]
    assert len((await handle.task).jobs) == 3

    # It fails.
    handle = Handle(Faulty(addr), 2)
    assert await ends(handle, 99, 41, 42, 43, 44) == [(1, Ended)] * 5
    assert await ends(handle, 45) == [(0, Ended)]
    assert isinstance(handle.task.exception(), ValueError)

    # It is cancelled.
    handle = Handle(Faulty(addr), 2)
    asyncio.get_running_loop().call_later(0.5, handle.task.cancel)
    assert await ends(handle, 51, 52, 53, 54, 55) == [(0.5, Ended)] * 5
    assert handle.task.cancelled()

    # ANCHOR: changes
    # A reply that is never set is awaited forever.
    reply = asyncio.get_running_loop().create_future()
    assert await gives_up(86400, reply)

    # To reply to a caller that has given up is an error.
    assert reply.cancelled()
    try:
        reply.set_result(1)
    except asyncio.InvalidStateError:
        pass
    else:
        raise AssertionError("it was cancelled")

    # An actor without a handle runs on.
    handle = Handle(Printer(addr), 8)
    task = handle.task
    del handle
    assert await gives_up(86400, asyncio.shield(task))
    # ANCHOR_END: changes
    task.cancel()
    for printer in Faulty.all + [printer]:
        if printer.conn:
            printer.conn[1].close()
    await asyncio.sleep(1)
    server.close()
    await server.wait_closed()


with asyncio.Runner(loop_factory=PausedLoop) as runner:
    runner.run(main())
