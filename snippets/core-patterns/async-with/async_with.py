# ANCHOR: keep
import asyncio
import logging
from contextlib import asynccontextmanager

log = logging.getLogger(__name__)


class Closer:
    """Closes connections in tasks, and waits for all of them."""

    def __init__(self, timeout):
        self.timeout = timeout
        self.closed = False
        self.open = set()  # `shut_down` waits for it

    # ANCHOR: with
    @asynccontextmanager
    async def connection(self, connect):
        """If the body and `close` fail, raises the body's error."""
        if self.closed:
            raise ConnectionError("shutting down")
        token = asyncio.get_running_loop().create_future()
        self.open.add(token)
        try:
            conn = await connect()
            try:
                yield conn
            except BaseException:
                await asyncio.shield(self.start_closing(conn))
                raise
            if error := await asyncio.shield(self.start_closing(conn)):
                raise error
        finally:
            self.open.remove(token)
            token.set_result(None)
    # ANCHOR_END: with

    # ANCHOR: shut_down
    async def shut_down(self):
        """Refuses new connections, and waits until all are closed."""
        self.closed = True
        while self.open:
            await asyncio.wait(self.open)
    # ANCHOR_END: shut_down

    # ANCHOR: start
    def start_closing(self, conn):
        """A task, because the caller may be cancelled while it waits."""
        task = asyncio.create_task(self.close(conn))
        self.open.add(task)
        task.add_done_callback(self.open.discard)
        return task

    async def close(self, conn):
        try:
            async with asyncio.timeout(self.timeout):
                await conn.close()
        except Exception as error:
            log.error("not closed: %r", error)
            return error
    # ANCHOR_END: start
# ANCHOR_END: keep


# A carrier that counts its sessions, and what must come of them.
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


async def take(what, how):
    """Takes a second, and then ends as its words say."""
    await asyncio.sleep(1)
    if how == "fails":
        raise OSError(f"{what} fails")
    if how == "hangs":
        await asyncio.Event().wait()


class Carrier:
    def __init__(self, close=""):
        self.sessions = 0
        self.how = close

    async def connect(self):
        await take("connect", "")
        self.sessions += 1
        return self

    async def track(self, how):
        await take("track", how)
        return "in transit"

    async def close(self):
        await take("close", self.how)
        self.sessions -= 1


async def track(closer, carrier, body):
    async with closer.connection(carrier.connect) as conn:
        return await conn.track(body)


async def outcome(body, close, *cancels):
    """How it ends, and when; when it is shut down, and what is left."""
    closer, carrier = Closer(timeout=5), Carrier(close)
    loop = asyncio.get_running_loop()
    start = loop.time()
    task = asyncio.create_task(track(closer, carrier, body))
    for cancel in cancels:
        loop.call_later(cancel, task.cancel)
    await asyncio.wait([task])
    ended = loop.time() - start
    if task.cancelled():
        end = "cancelled"
    elif isinstance(task.exception(), TimeoutError):
        end = "timeout"
    else:
        end = str(task.exception() or task.result())
    async with asyncio.timeout(60):
        await closer.shut_down()
    return end, ended, loop.time() - start, carrier.sessions


async def cases():
    loop = asyncio.get_running_loop()
    for body, close, cancels, *expected in [
        ("", "", (), "in transit", 3, 3, 0),
        ("fails", "", (), "track fails", 3, 3, 0),
        # A cancelled task waits until the connection is closed.
        ("hangs", "", (2.5,), "cancelled", 3.5, 3.5, 0),
        ("", "", (0.5,), "cancelled", 0.5, 0.5, 0),
        ("", "", (2.5,), "cancelled", 2.5, 3, 0),
        ("hangs", "", (2.5, 3), "cancelled", 3, 3.5, 0),
        ("", "fails", (), "close fails", 3, 3, 1),
        ("", "hangs", (), "timeout", 7, 7, 1),
        ("fails", "fails", (), "track fails", 3, 3, 1),
        ("fails", "hangs", (), "track fails", 7, 7, 1),
    ]:
        actual = list(await outcome(body, close, *cancels))
        assert actual == expected, (body, close, cancels, actual)

    # One is in use, and one is connecting, when the shutdown begins.
    closer, carrier, start = Closer(timeout=5), Carrier(), loop.time()
    first = asyncio.create_task(track(closer, carrier, ""))
    await asyncio.sleep(1.5)
    second = asyncio.create_task(track(closer, carrier, ""))
    await asyncio.sleep(0.5)
    await closer.shut_down()
    assert (loop.time() - start, carrier.sessions) == (4.5, 0)
    assert (await first, await second) == ("in transit", "in transit")
    try:
        await track(closer, carrier, "")
        raise AssertionError("it is too late")
    except ConnectionError as error:
        assert str(error) == "shutting down"

    # What cannot connect leaves nothing behind.
    async def refused():
        raise ConnectionRefusedError("connection refused")

    closer = Closer(timeout=5)
    try:
        async with closer.connection(refused):
            raise AssertionError("no connection")
    except ConnectionRefusedError:
        pass
    async with asyncio.timeout(60):
        await closer.shut_down()


async def main():
    records = []
    log.propagate = False
    log.addHandler(handler := logging.Handler())
    handler.emit = records.append
    carrier = Carrier()
    connect = carrier.connect

    # ANCHOR: call
    closer = Closer(timeout=5)
    try:
        async with closer.connection(connect) as session:
            status = await session.track("parcel 7")
    finally:
        await closer.shut_down()  # before `main` ends
    # ANCHOR_END: call
    assert (status, carrier.sessions) == ("in transit", 0)

    await cases()
    errors = [record.getMessage() for record in records]
    assert errors.count("not closed: OSError('close fails')") == 2
    assert errors.count("not closed: TimeoutError()") == 2


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=PausedLoop) as runner:
        runner.run(main())
