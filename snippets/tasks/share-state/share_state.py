# ANCHOR: keep
import asyncio
from dataclasses import dataclass, field, replace


@dataclass
class Account:
    credit: int
    labels: list = field(default_factory=list)


class Labels:
    """Buys and prints labels for parcels. Many tasks share it."""

    # ANCHOR: locks
    def __init__(self, credit, address, timeout):
        self._account = Account(credit)  # changed without an await: no lock
        self._lock = asyncio.Lock()  # held while the printer prints
        self._printer = None
        self.address = address
        self.timeout = timeout
    # ANCHOR_END: locks

    # ANCHOR: buy
    def buy(self, parcel, price):
        """Checks and changes without an await. None: too little credit."""
        account = self._account
        if account.credit < price:
            return None
        account.labels.append(parcel)
        account.credit -= price
        return account.credit
    # ANCHOR_END: buy

    # ANCHOR: read
    def account(self):
        """A copy."""
        return replace(self._account, labels=list(self._account.labels))
    # ANCHOR_END: read

    async def print(self, parcel):
        """One label at a time. The printer answers with the parcel's number."""
        # ANCHOR: print
        async with self._lock, asyncio.timeout(self.timeout):
            conn, self._printer = self._printer, None
            if conn and not await nothing_to_read(conn[0]):
                conn[1].close()
                conn = None
            if conn is None:
                conn = await asyncio.open_connection(*self.address)
            reader, writer = conn
            try:
                writer.write(parcel.to_bytes(4, "big"))
                await writer.drain()
                number = int.from_bytes(await reader.readexactly(4), "big")
                if number != parcel:
                    raise ValueError("the answer to another request")
                self._printer = reader, writer
                return number
            finally:
                # An exchange that ends halfway closes the connection.
                if self._printer is None:
                    writer.close()
        # ANCHOR_END: print


async def nothing_to_read(reader):
    """False: bytes are left after an answer, or the stream has ended."""
    try:
        async with asyncio.timeout(0):
            await reader.read(1)
    except TimeoutError:
        return True
    return False
# ANCHOR_END: keep


# A printer, and what must come of the calls.
SECOND = 0.05
SILENT, CLOSES, TWICE, WRONG = 99, 13, 22, 31


class Printer:
    """Prints a label in a second. Counts its connections."""

    def __init__(self):
        self.connections = 0
        self.tasks = []

    async def answer(self, reader, writer):
        self.connections += 1
        self.tasks.append(asyncio.current_task())
        try:
            while True:
                parcel = await reader.readexactly(4)
                number = int.from_bytes(parcel, "big")
                if number == CLOSES:
                    return
                if number == SILENT:
                    await reader.read()
                    return
                await asyncio.sleep(SECOND)
                if number == WRONG:
                    parcel = (number - 1).to_bytes(4, "big")
                writer.write(parcel * (1 + (number == TWICE)))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def main():
    printer = Printer()
    server = await asyncio.start_server(printer.answer, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    ends = []
    # ANCHOR: call
    labels = Labels(100, address, timeout=5)

    async def buy_and_print(parcel):
        if labels.buy(parcel, 30) is not None:
            ends.append(await labels.print(parcel))

    async with asyncio.TaskGroup() as tasks:
        for parcel in range(1, 6):
            tasks.create_task(buy_and_print(parcel))
    # ANCHOR_END: call
    assert ends == [1, 2, 3]
    copy = labels.account()
    assert copy == Account(10, [1, 2, 3])
    assert labels.buy(4, 10) == 0 and labels.buy(5, 1) is None
    assert copy == Account(10, [1, 2, 3])
    assert printer.connections == 1
    conn = labels._printer

    # Silent: a timeout; the next one waits for the lock, and is printed.
    labels.timeout = SECOND
    silent = asyncio.create_task(labels.print(SILENT))
    await asyncio.sleep(0)
    labels.timeout = 1000 * SECOND
    ends = await asyncio.gather(
        silent, labels.print(7), return_exceptions=True
    )
    assert isinstance(ends[0], TimeoutError) and ends[1] == 7
    assert conn[1].is_closing()
    # Closed by the printer: an error, and a new connection.
    try:
        await labels.print(CLOSES)
        raise AssertionError("no answer")
    except asyncio.IncompleteReadError:
        pass
    assert await labels.print(8) == 8
    assert printer.connections == 3

    # It answers twice, or another request: a new connection.
    conn = labels._printer
    assert await labels.print(TWICE) == TWICE
    await asyncio.sleep(SECOND)
    assert await labels.print(9) == 9
    assert printer.connections == 4 and conn[1].is_closing()
    try:
        await labels.print(WRONG)
        raise AssertionError("a wrong answer")
    except ValueError:
        pass
    assert await labels.print(10) == 10
    assert printer.connections == 5

    # Cancelled while it waits for the lock, and halfway.
    conn = labels._printer
    first = asyncio.create_task(labels.print(1))
    waits = asyncio.create_task(labels.print(2))
    await asyncio.sleep(0)
    waits.cancel()
    assert await first == 1 and printer.connections == 5
    halfway = asyncio.create_task(labels.print(4))
    await asyncio.sleep(SECOND / 2)
    halfway.cancel()
    assert await labels.print(5) == 5
    assert printer.connections == 6 and conn[1].is_closing()
    assert halfway.cancelled() and waits.cancelled()

    # The printer is off.
    labels._printer[1].close()
    server.close()
    await server.wait_closed()
    await asyncio.gather(*printer.tasks)
    for error in [asyncio.IncompleteReadError, OSError]:
        try:
            await labels.print(7)
            raise AssertionError("nothing listens")
        except (error, ConnectionError):
            pass
    assert not labels._lock.locked()


asyncio.run(main())
