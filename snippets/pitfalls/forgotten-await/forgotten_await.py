import asyncio
import warnings

# ANCHOR: awaited
# ANCHOR: sent
sent = []
# ANCHOR_END: sent


# ANCHOR: send
async def send_receipt(order):
    sent.append(order)
    await asyncio.sleep(0)
    return f"receipt for order {order}"
# ANCHOR_END: send


async def main():
    # ANCHOR: forgotten
    # Called and not awaited: nothing is sent. There is a warning, on stderr,
    # when the coroutine is collected.
    with warnings.catch_warnings(record=True, action="always") as caught:
        send_receipt(7)
    assert sent == []
    [warning] = caught
    assert warning.category is RuntimeWarning
    assert str(warning.message) == (
        "coroutine 'send_receipt' was never awaited"
    )
    # ANCHOR_END: forgotten

    # ANCHOR: received
    assert await send_receipt(7) == "receipt for order 7"
    assert sent == [7]
    # ANCHOR_END: received

    # ANCHOR: spawned
    # A task runs by itself.
    task = asyncio.create_task(send_receipt(8))
    await asyncio.sleep(0)
    assert sent == [7, 8]
    await task
    # ANCHOR_END: spawned
# ANCHOR_END: awaited


asyncio.run(main())
