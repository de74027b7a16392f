# ANCHOR: wall
import asyncio


# ANCHOR: paint
async def paint(wall, sketch, metres):
    for metre in metres:
        await asyncio.sleep(0.001)
        wall[metre] = sketch[metre]
# ANCHOR_END: paint


async def main():
    sketch, wall = "~~~^^^", list("......")
    # ANCHOR: halves
    await asyncio.gather(
        paint(wall, sketch, range(0, 3)),
        paint(wall, sketch, range(3, 6)),
    )
    # ANCHOR_END: halves
    # ANCHOR: evening
    assert "".join(wall) == sketch
    # ANCHOR_END: evening
# ANCHOR_END: wall


asyncio.run(main())
