# ANCHOR: keep
import asyncio
import logging
import tempfile

import aiosqlite

log = logging.getLogger(__name__)


class Printer:
    def __init__(self, permits, database, folder):
        """What a label needs to be printed."""
        self.permits = permits
        self.database = database
        self.folder = folder

    # ANCHOR: print
    async def print(self, parcel, send):
        """Writes the label of a parcel into a file, and sends it."""
        # ANCHOR_END: print
        async with self.permits:
            async with aiosqlite.connect(self.database) as conn:
                query = "SELECT city FROM parcels WHERE id = ?"
                async with conn.execute(query, (parcel,)) as rows:
                    row = await rows.fetchone()
            if row is None:
                raise LookupError(f"no parcel {parcel}")
            sent = False
            try:
                # ANCHOR: write_file
                with tempfile.NamedTemporaryFile("w", dir=self.folder) as file:
                    file.write(row[0])
                    file.flush()
                    # ANCHOR_END: write_file
                    await send(file.name)
                    sent = True
            except OSError as error:
                if not sent:
                    raise
                # The caller must not print again.
                log.warning("the file is not removed: %s", error)
# ANCHOR_END: keep


# Printers that fail, and what must be free after each.
import os
from pathlib import Path
from unittest import TestCase


async def fails(printer, send, parcel=7):
    try:
        await printer.print(parcel, send)
    except (OSError, LookupError) as error:
        return error
    raise AssertionError("it succeeded")


async def main():
    with tempfile.TemporaryDirectory() as folder:
        database = os.path.join(folder, "parcels.db")
        async with aiosqlite.connect(database) as conn:
            await conn.execute("CREATE TABLE parcels (id INTEGER, city TEXT)")
            await conn.execute("INSERT INTO parcels VALUES (7, 'Bergen')")
            await conn.commit()
        labels = os.path.join(folder, "labels")
        os.mkdir(labels)
        printer = Printer(asyncio.Semaphore(1), database, labels)

        def all_is_free():
            return not printer.permits.locked() and not os.listdir(labels)

        sent = []

        # ANCHOR: call
        async def send(path):
            label = Path(path).read_bytes()
            sent.append(label)  # send it here

        await printer.print(7, send)
        # ANCHOR_END: call
        assert sent == [b"Bergen"] and all_is_free()

        async def no_paper(path):
            raise OSError("no paper")

        assert isinstance(await fails(printer, no_paper), OSError)
        assert all_is_free()
        assert isinstance(await fails(printer, send, 8), LookupError)
        assert all_is_free()

        async def remove(path):
            os.remove(path)

        with TestCase().assertLogs(log):
            await printer.print(7, remove)
        assert all_is_free()

        sending = asyncio.Event()

        async def hang(path):
            sending.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(printer.print(7, hang))
        await sending.wait()
        assert printer.permits.locked() and len(os.listdir(labels)) == 1
        waits = asyncio.create_task(printer.print(7, send))
        await asyncio.sleep(0)
        for cancelled in (waits, task):
            cancelled.cancel()
        await asyncio.wait([waits, task])
        assert task.cancelled() and waits.cancelled() and all_is_free()
        assert sent == [b"Bergen"]


asyncio.run(main())
