import asyncio
import weakref


async def main():
    # ANCHOR: lost
    statuses = {"scans": 0}

    async def scan():
        before = statuses["scans"]
        await asyncio.sleep(0)
        statuses["scans"] = before + 1

    await asyncio.gather(scan(), scan())
    assert statuses == {"scans": 1}  # two scans, and one is lost
    # ANCHOR_END: lost

    class Parcel:
        status = None

    async def track(parcel):
        await asyncio.sleep(0)
        parcel.status = "in transit"

    # ANCHOR: keeps
    def start():
        parcel = Parcel()
        return weakref.ref(parcel), asyncio.create_task(track(parcel))

    parcel, task = start()
    assert parcel() is not None  # the task keeps it
    await task
    assert parcel() is None
    # ANCHOR_END: keeps

    # ANCHOR: slice
    async def fill(part):
        part[:] = b"7" * len(part)

    data = bytearray(b"....")
    await fill(data[:2])
    assert data == b"...."  # a slice is a copy
    with memoryview(data) as view:
        await asyncio.gather(fill(view[:2]), fill(view[2:]))
    assert data == b"7777"  # a view borrows
    # ANCHOR_END: slice


asyncio.run(main())
