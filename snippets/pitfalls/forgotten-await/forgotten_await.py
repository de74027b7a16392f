import asyncio
import warnings

# ANCHOR: all
# ANCHOR: sent
sent = []
# ANCHOR_END: sent


# ANCHOR: notify
async def notify(parcel):
    sent.append(parcel)
    await asyncio.sleep(0.05)
    return f"parcel {parcel} has arrived"
# ANCHOR_END: notify


async def main():
    # ANCHOR: forgotten
    # The call returns a coroutine. Nothing of its body runs. When the coroutine
    # is deleted, Python prints a warning.
    with warnings.catch_warnings(record=True, action="always") as caught:
        coroutine = notify(7)
        await asyncio.sleep(0.1)
        assert caught == [] and sent == []
        del coroutine
    [warning] = caught
    assert warning.category is RuntimeWarning
    assert str(warning.message) == "coroutine 'notify' was never awaited"
    # ANCHOR_END: forgotten

    # ANCHOR: awaited
    assert await notify(7) == "parcel 7 has arrived"
    assert sent == [7]
    # ANCHOR_END: awaited

    # ANCHOR: spawned
    # A task runs without an await.
    task = asyncio.create_task(notify(8))
    await asyncio.sleep(0.1)
    assert task.done() and sent == [7, 8]
    # ANCHOR_END: spawned
# ANCHOR_END: all


asyncio.run(main())
