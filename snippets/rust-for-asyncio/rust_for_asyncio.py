import asyncio
import gc
import threading
import warnings

CITIES = ["Oslo", "Bergen"]


# ANCHOR: error
async def track(parcel: str) -> str:
    return CITIES[int(parcel)]


async def track_in_task(parcel: str) -> str:
    task = asyncio.create_task(track(parcel))
    # Raises what `track` raises: here a ValueError or an IndexError.
    city = await task
    return f"in {city}"


# ANCHOR_END: error


# ANCHOR: shared
scans: dict[str, int] = {}


async def scan(city: str) -> None:
    # No other task runs between the read and the write.
    scans[city] = scans.get(city, 0) + 1


async def scan_slowly(city: str) -> None:
    before = scans.get(city, 0)
    await asyncio.sleep(0)  # Other tasks run, and read the same number.
    scans[city] = before + 1


# ANCHOR_END: shared

sent = []


async def notify(case: str) -> None:
    try:
        await asyncio.sleep(0.01)
        sent.append(case)
    except asyncio.CancelledError:
        await asyncio.sleep(0)  # A cancelled task may still await.
        sent.append(f"{case}, cancelled")
        raise


async def main() -> None:
    # All tasks run on the thread of the loop.
    async def thread() -> int:
        return threading.get_ident()

    assert await asyncio.create_task(thread()) == threading.get_ident()

    # An error and a bug are both exceptions.
    assert await track_in_task("1") == "in Bergen"
    for parcel, error in [("one", ValueError), ("2", IndexError)]:
        try:
            await track_in_task(parcel)
        except error:
            pass
        else:
            raise AssertionError(parcel)

    # Without an await in between, no count is lost.
    await asyncio.gather(*(scan("Oslo") for _ in range(1_000)))
    assert scans["Oslo"] == 1_000
    await asyncio.gather(*(scan_slowly("Bergen") for _ in range(1_000)))
    assert scans["Bergen"] == 1

    # A coroutine that nothing awaits does not run.
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        notify("never awaited")
        gc.collect()
    assert "was never awaited" in str(caught[0].message)

    # A timeout raises CancelledError at the await of the coroutine.
    try:
        await asyncio.wait_for(notify("timed out"), 0.001)
    except asyncio.TimeoutError:
        pass
    assert sent == ["timed out, cancelled"]


asyncio.run(main())
