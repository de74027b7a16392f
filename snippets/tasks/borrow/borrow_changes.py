import asyncio
import weakref


# ANCHOR: changes
async def nobody_looks_who_else_has_it():
    coats = {"wall": 0}

    async def paint():
        before = coats["wall"]
        await asyncio.sleep(0)
        coats["wall"] = before + 1

    await asyncio.gather(paint(), paint())
    assert coats == {"wall": 1}  # painted twice


async def a_task_keeps_what_it_uses():
    class Wall:
        painted = False

    async def paint(wall):
        await asyncio.sleep(0)
        wall.painted = True

    def begin():
        wall = Wall()
        return weakref.ref(wall), asyncio.create_task(paint(wall))

    wall, painting = begin()
    assert wall() is not None  # the function is over, and the wall is there
    await painting
    assert wall() is None


async def a_slice_is_a_copy():
    async def paint(part):
        part[:] = b"~" * len(part)

    wall = bytearray(b"....")
    await paint(wall[:2])
    assert wall == b"...."

    # This lends, and the wall cannot grow meanwhile.
    with memoryview(wall) as lent:
        await asyncio.gather(paint(lent[:2]), paint(lent[2:]))
        try:
            wall.append(0)
            raise AssertionError("it is lent")
        except BufferError:
            pass
    assert wall == b"~~~~"
# ANCHOR_END: changes


async def main():
    await nobody_looks_who_else_has_it()
    await a_task_keeps_what_it_uses()
    await a_slice_is_a_copy()


asyncio.run(main())
