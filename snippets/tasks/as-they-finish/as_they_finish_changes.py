import asyncio


# ANCHOR: changes
async def count(district, line):
    await line.wait()
    if district == "Hills":
        raise ConnectionError("the line is dead")
    return district


async def main():
    cut, open_line = asyncio.Event(), asyncio.Event()
    open_line.set()

    # What as_completed hands out is none of your tasks, so a failure that it
    # raises is nobody's. (Since 3.13, `async for` hands out your tasks.)
    hills = asyncio.create_task(count("Hills", open_line))
    harbour = asyncio.create_task(count("Harbour", open_line))
    unknown = 0
    for report in asyncio.as_completed([hills, harbour]):
        assert report not in (hills, harbour)
        try:
            await report
        except ConnectionError:
            unknown += 1
    assert unknown == 1

    # asyncio.wait hands out the tasks themselves.
    tasks = [asyncio.create_task(count("Hills", open_line), name="Hills")]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    assert [task.get_name() for task in done if task.exception()] == ["Hills"]

    # Leaving the loop stops nobody: the Old Town counts on.
    old_town = asyncio.create_task(count("Old Town", cut))
    harbour = asyncio.create_task(count("Harbour", open_line))
    for report in asyncio.as_completed([old_town, harbour]):
        assert await report == "Harbour"
        break
    assert not old_town.done()
    cut.set()
    assert await old_town == "Old Town"
# ANCHOR_END: changes


asyncio.run(main())
