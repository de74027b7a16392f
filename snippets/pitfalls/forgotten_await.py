import asyncio
import warnings

# ANCHOR: awaited
sent = []


async def send_receipt(order):
    sent.append(order)
    await asyncio.sleep(0)
    return f"receipt for order {order}"


async def main():
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

    assert await send_receipt(7) == "receipt for order 7"
    assert sent == [7]

    # A task runs by itself.
    task = asyncio.create_task(send_receipt(8))
    await asyncio.sleep(0)
    assert sent == [7, 8]
    await task
# ANCHOR_END: awaited


asyncio.run(main())
