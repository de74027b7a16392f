import asyncio


class Scanner:
    """Three scans; the second one could not be read."""

    def __init__(self):
        self.left = ["Bremen", None, "Kiel"]

    async def read(self):
        await asyncio.sleep(0)
        return self.left.pop(0) if self.left else None


# ANCHOR: changes
class Cities:  # a common recipe
    def __init__(self, scanner):
        self.scanner = scanner

    def __aiter__(self):
        return self

    async def __anext__(self):
        city = await self.scanner.read()
        if city is None:
            raise StopAsyncIteration
        return city


async def cities(log):
    try:
        for city in ["Bremen", "Hamburg", "Kiel"]:
            await asyncio.sleep(0.005)
            yield city
    finally:
        await asyncio.sleep(0)
        log.append("scanner off")


async def a_none_among_the_items_is_the_end():
    assert [city async for city in Cities(Scanner())] == ["Bremen"]


async def a_break_leaves_it_open():
    log = []
    stream = cities(log)
    async for _ in stream:
        break
    await asyncio.sleep(0.01)
    assert log == []
    await stream.aclose()  # or `async with aclosing(stream)`
    assert log == ["scanner off"]


async def a_timeout_ends_it():
    stream = cities([])
    try:
        await asyncio.wait_for(anext(stream), timeout=0.001)
        raise AssertionError("there was time enough")
    except TimeoutError:
        assert await anext(stream, "the end") == "the end"
# ANCHOR_END: changes


async def the_collector_leaves_it_to_the_loop():
    log = []
    async for _ in cities(log):
        break
    assert log == []
    while not log:
        await asyncio.sleep(0)


async def main():
    await a_none_among_the_items_is_the_end()
    await a_break_leaves_it_open()
    await a_timeout_ends_it()
    await the_collector_leaves_it_to_the_loop()


asyncio.run(main())
