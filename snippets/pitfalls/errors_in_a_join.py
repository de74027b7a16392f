import asyncio

# ANCHOR: group
booked = []


async def book(part, seconds, left):
    await asyncio.sleep(seconds)
    if not left:
        raise LookupError(f"no {part} left")
    booked.append(part)
    return part


async def main():
    try:
        async with asyncio.TaskGroup() as journey:
            journey.create_task(book("flight", 0, left=0))
            journey.create_task(book("hotel", 60, left=4))
            journey.create_task(book("car", 0, left=0))
        raise AssertionError("there is no flight")
    except* LookupError as group:
        # Both errors are here.
        refused = [str(error) for error in group.exceptions]
        assert refused == ["no flight left", "no car left"]
    # The hotel was cancelled, and waited for.
    assert booked == [] and len(asyncio.all_tasks()) == 1
# ANCHOR_END: group


asyncio.run(main())
