# ANCHOR: keep
import asyncio
import io
import threading


# ANCHOR: errors
class TooLong(Exception):
    """The line that begins at this byte does not fit into a block."""
# ANCHOR_END: errors


class Blocks:
    """The lines of a file, in blocks of text. One thread reads them."""

    # ANCHOR: start
    def __init__(self, open_file, size, capacity):
        self.loop = asyncio.get_running_loop()
        self.queue = asyncio.Queue()
        self.places = threading.Semaphore(capacity)
        self.closed = threading.Event()
        reading = asyncio.to_thread(self.send_blocks, open_file, size)
        self.reader = asyncio.create_task(reading)
        self.reader.add_done_callback(lambda _: self.queue.put_nowait(None))
    # ANCHOR_END: start

    # ANCHOR: next
    async def next(self):
        """The next whole lines, or None at the end of the file."""
        text = await self.queue.get()
        if text is None:
            self.queue.put_nowait(None)  # for the next call
            await self.reader  # raises what the thread has raised
        else:
            self.places.release()
        return text
    # ANCHOR_END: next

    def close(self):
        """Stops the thread. Does not wait for it."""
        self.closed.set()
        self.places.release()

    # ANCHOR: send
    def send_blocks(self, open_file, size):
        block, at = b"", 0
        with open_file() as file:
            while not self.closed.is_set():
                room = size - len(block)
                while read := file.read(room):
                    block += read
                    room -= len(read)
                end = len(block) if room else block.rfind(b"\n") + 1
                if end == 0 and block:
                    if file.read(1):
                        raise TooLong(at)
                    end = len(block)  # the end of the file
                if end == 0:
                    return  # the end of the file
                text = block[:end].decode()
                self.places.acquire()
                self.loop.call_soon_threadsafe(self.queue.put_nowait, text)
                block, at = block[end:], at + end
    # ANCHOR_END: send
# ANCHOR_END: keep


# An export of parcels, one a line, and what must come of it.
import tempfile
import time
from contextlib import closing

KIB = 1024


class Store:
    def __init__(self):
        self.parcels, self.grams = 0, 0

    async def insert(self, parcels):
        await asyncio.sleep(0)
        self.parcels += len(parcels)
        self.grams += sum(parcels)


def parse(line):
    return int(line.rsplit(";", 1)[1])


# ANCHOR: call
async def import_file(path, store):
    def open_file():
        return open(path, "rb", buffering=0)

    with closing(Blocks(open_file, 64 * 1024, 4)) as blocks:
        while (block := await blocks.next()) is not None:
            # Not `splitlines`, which splits at U+2028, too.
            parcels = [parse(line) for line in io.StringIO(block)]
            await store.insert(parcels)  # one transaction for each block
# ANCHOR_END: call


class Endless(io.RawIOBase):
    """A file without an end. It counts what is read of it."""

    def __init__(self, byte):
        self.byte, self.read_bytes = byte, 0

    def readable(self):
        return True

    def readinto(self, buffer):
        buffer[:] = self.byte * len(buffer)
        self.read_bytes += len(buffer)
        return len(buffer)


class Silent(io.RawIOBase):
    """A disk that takes its time for each read."""

    def __init__(self):
        self.reading, self.answers = threading.Event(), threading.Event()

    def readable(self):
        return True

    def readinto(self, buffer):
        self.reading.set()
        self.answers.wait()
        return 0


async def lines(file, size):
    """The lines of a file, and how it ends."""
    found = []
    with closing(Blocks(lambda: file, size, 1)) as blocks:
        try:
            while (block := await blocks.next()) is not None:
                assert 0 < len(block.encode()) <= size
                found += block.splitlines()
            return found, await blocks.next()
        except Exception as error:
            return found, error


async def settles(file, at):
    while file.read_bytes < at:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.03)
    assert file.read_bytes == at


async def main():
    store = Store()
    line = b"7;%-242s;2499\n" % b"Oslo"
    with tempfile.NamedTemporaryFile() as export:
        export.write(line * 40_000)
        export.flush()
        await import_file(export.name, store)
    assert (store.parcels, store.grams) == (40_000, 40_000 * 2_499)

    assert len("7;a\u2028b;2499\n".splitlines()) == 2
    text = "7;Oslo;2499\r\n8;Tromsø;120\n\n9;Łódź;77"
    for size in range(14, 61):
        file = io.BytesIO(text.encode())
        assert await lines(file, size) == (text.splitlines(), None)

    # The last line has no newline, and fills a block, or is a byte longer.
    for text in [b"7\n8;Rome", b"8;Rome"]:
        end = text.decode().splitlines(), None
        assert await lines(io.BytesIO(text), 6) == end
    found, error = await lines(io.BytesIO(b"8;Rome9"), 6)
    assert not found and isinstance(error, TooLong)

    text = b"7;Oslo;2499\n8;Bergen;120\n9;Hamar;77\n"
    found, error = await lines(io.BytesIO(text), 12)
    assert found == ["7;Oslo;2499"]
    assert isinstance(error, TooLong) and error.args == (12,)
    file = Endless(b"7")
    found, error = await lines(file, 64 * KIB)
    assert isinstance(error, TooLong) and file.read_bytes == 64 * KIB + 1
    bad = b"7;Oslo;2499\n8;Troms\xf8;120\n"
    found, error = await lines(io.BytesIO(bad), 16)
    assert isinstance(error, UnicodeDecodeError) and len(found) == 1

    # Nothing takes the blocks. Then they are closed.
    file = Endless(b"\n")
    with closing(Blocks(lambda: file, 64 * KIB, 4)) as blocks:
        await settles(file, 5 * 64 * KIB)
        assert len(await blocks.next()) == 64 * KIB
        await settles(file, 6 * 64 * KIB)
    await blocks.reader
    assert file.closed and file.read_bytes == 6 * 64 * KIB

    # A read that waits does not hold up the loop when its caller leaves.
    file = Silent()
    start = time.monotonic()
    with closing(Blocks(lambda: file, 64 * KIB, 4)) as blocks:
        try:
            async with asyncio.timeout(0.03):
                await blocks.next()
            raise AssertionError("the disk is silent")
        except TimeoutError:
            assert file.reading.is_set() and not file.closed
    assert time.monotonic() - start < 5
    file.answers.set()
    await blocks.reader
    assert file.closed


asyncio.run(main())
