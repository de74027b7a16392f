import asyncio

# ANCHOR: observe
shutters = set()


async def expose(dome):
    shutters.add(dome)
    try:
        await asyncio.sleep(0.01)
    finally:
        shutters.discard(dome)


async def observe(dome, pictures):
    try:
        while True:
            await expose(dome)
            pictures.append(dome)
    finally:
        await asyncio.sleep(0)  # the telescope turns to the wall


async def main():
    pictures = []
    north = asyncio.create_task(observe("north", pictures))
    south = asyncio.create_task(observe("south", pictures))
    await asyncio.sleep(0.05)
    assert shutters == {"north", "south"}
    for dome in (north, south):
        dome.cancel()
    await asyncio.wait([north, south])
    assert north.cancelled() and south.cancelled()
    assert pictures and not shutters
# ANCHOR_END: observe


asyncio.run(main())
