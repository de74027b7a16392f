import asyncio

# ANCHOR: group
# ANCHOR: booked
booked = []
# ANCHOR_END: booked


# ANCHOR: book
async def book(part, seconds, left):
    await asyncio.sleep(seconds)
    if not left:
        raise LookupError(f"no {part} left")
    booked.append(part)
    return part
# ANCHOR_END: book


async def main():
    try:
        # ANCHOR: journey
        async with asyncio.TaskGroup() as journey:
            journey.create_task(book("flight", 0, left=0))
            journey.create_task(book("hotel", 60, left=4))
            journey.create_task(book("car", 0, left=0))
        # ANCHOR_END: journey
        raise AssertionError("there is no flight")
    # ANCHOR: refused
    except* LookupError as group:
        # Both errors are here.
        refused = [str(error) for error in group.exceptions]
        assert refused == ["no flight left", "no car left"]
    # ANCHOR_END: refused
    # ANCHOR: cancelled
    # The hotel was cancelled, and waited for.
    assert booked == [] and len(asyncio.all_tasks()) == 1
    # ANCHOR_END: cancelled
# ANCHOR_END: group


asyncio.run(main())
