import asyncio
import io
import logging
from contextvars import ContextVar

REQUEST_ID = ContextVar("request_id", default=None)

output = io.StringIO()
handler = logging.StreamHandler(output)
handler.setFormatter(logging.Formatter("[%(request_id)s] %(message)s"))


def add_request_id(record):
    record.request_id = REQUEST_ID.get()
    return True


handler.addFilter(add_request_id)
log = logging.getLogger("service")
log.addHandler(handler)
log.propagate = False


async def track():
    log.warning("tracked")


# ANCHOR: inherits
async def inherits():
    REQUEST_ID.set("id-7")
    await asyncio.create_task(track())
    await asyncio.to_thread(log.warning, "rendered")
    assert output.getvalue().splitlines() == [
        "[id-7] tracked",
        "[id-7] rendered",
    ]
# ANCHOR_END: inherits


# ANCHOR: lazy
async def lazy():
    made = []

    class Parcel:
        def __str__(self):
            made.append(self)
            return "a parcel"

    log.setLevel("WARNING")
    log.info("%s", Parcel())  # not formatted
    assert made == []
    log.info(f"{Parcel()}")  # formatted, and not written
    assert len(made) == 1
# ANCHOR_END: lazy


async def main():
    await inherits()
    await lazy()


asyncio.run(main())
