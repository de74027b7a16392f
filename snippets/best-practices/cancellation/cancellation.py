import asyncio

# ANCHOR: observe
# ANCHOR: shutters
shutters = set()
# ANCHOR_END: shutters


# ANCHOR: guard
async def expose(dome):
    shutters.add(dome)
    try:
        await asyncio.sleep(0.01)
    finally:
        shutters.discard(dome)
# ANCHOR_END: guard


async def observe(dome, pictures):
    try:
        # ANCHOR: pictures
        while True:
            await expose(dome)
            pictures.append(dome)
        # ANCHOR_END: pictures
    # ANCHOR: rest
    finally:
        await asyncio.sleep(0)  # the telescope turns to the wall
    # ANCHOR_END: rest


async def main():
    pictures = []
    # ANCHOR: tree
    north = asyncio.create_task(observe("north", pictures))
    south = asyncio.create_task(observe("south", pictures))
    # ANCHOR_END: tree
    await asyncio.sleep(0.05)
    assert shutters == {"north", "south"}
    # ANCHOR: cancel
    for dome in (north, south):
        dome.cancel()
    await asyncio.wait([north, south])
    # ANCHOR_END: cancel
    assert north.cancelled() and south.cancelled()
    assert pictures and not shutters
# ANCHOR_END: observe


asyncio.run(main())
