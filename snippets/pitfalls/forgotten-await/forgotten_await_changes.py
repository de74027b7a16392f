import asyncio
import sys
import warnings

sent = []


# ANCHOR: condition
async def is_here(parcel):
    return parcel != 7


async def notify(parcel):
    sent.append(parcel)


async def main():
    with warnings.catch_warnings(record=True, action="always") as caught:
        if is_here(7):  # a coroutine is true
            await notify(7)
    assert sent == [7]
    # ANCHOR_END: condition
    assert len(caught) == 1

    # ANCHOR: error
    # As an error, it cannot be raised where the coroutine is deleted.
    unraisable = []
    sys.unraisablehook = lambda about: unraisable.append(about.exc_value)
    with warnings.catch_warnings(action="error"):
        notify(9)
    [error] = unraisable
    assert isinstance(error, RuntimeWarning)
    # ANCHOR_END: error


asyncio.run(main())
