import asyncio
import warnings


# ANCHOR: changes
async def what_is_refused_has_not_been_asked():
    async def ring():
        return 200

    # A coroutine that is made and refused is one that nobody awaits. So a
    # breaker in Python takes a function.
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        refused = ring()
        del refused
    assert "was never awaited" in str(caught[0].message)


async def a_cancelled_probe_ends_a_little_later():
    probing, line = False, asyncio.Event()

    async def probe():
        nonlocal probing
        probing = True
        try:
            await line.wait()
        finally:
            probing = False

    task = asyncio.create_task(probe())
    await asyncio.sleep(0)
    task.cancel()
    assert probing  # cancelled, and still half-open
    await asyncio.wait([task])
    assert not probing
# ANCHOR_END: changes


async def main():
    await what_is_refused_has_not_been_asked()
    await a_cancelled_probe_ends_a_little_later()


asyncio.run(main())
