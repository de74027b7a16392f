import asyncio


# ANCHOR: changes
async def main():
    changed, passes = asyncio.Condition(), []

    async def clerk():
        raise ValueError("a comma in the answer")

    async def van():
        async with changed:
            await changed.wait_for(lambda: passes)

    # Nobody tells those who wait that the clerk is gone.
    fetching, waiting = asyncio.create_task(clerk()), asyncio.create_task(van())
    done, still = await asyncio.wait([fetching, waiting], timeout=0.01)
    assert done == {fetching} and still == {waiting}
    assert isinstance(fetching.exception(), ValueError)
    waiting.cancel()
# ANCHOR_END: changes


asyncio.run(main())
