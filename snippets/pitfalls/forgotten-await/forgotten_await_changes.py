import asyncio
import sys
import warnings

# ANCHOR: changes
sent = []


async def is_paid(order):
    return order != 7


async def send_receipt(order):
    sent.append(order)


async def main():
    with warnings.catch_warnings(record=True, action="always") as caught:
        # A coroutine is true. The unpaid order gets its receipt.
        if is_paid(7):
            await send_receipt(7)
        assert sent == [7]

        # As long as somebody holds it, not even a warning.
        del caught[:]
        receipt = send_receipt(8)
        await asyncio.sleep(0)
        assert caught == [] and sent == [7]
        del receipt
        assert len(caught) == 1

    # Make warnings errors: nobody can catch this one, and on it goes.
    lost = []
    sys.unraisablehook = lambda problem: lost.append(problem.exc_value)
    with warnings.catch_warnings(action="error"):
        send_receipt(9)
    [error] = lost
    assert isinstance(error, RuntimeWarning)
# ANCHOR_END: changes


asyncio.run(main())
