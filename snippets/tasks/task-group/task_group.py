# ANCHOR: mountain
import asyncio

roped_up = []


# ANCHOR: climb
async def climb(party, hours):
    roped_up.append(party)
    try:
        await asyncio.sleep(hours / 100)
    finally:
        roped_up.remove(party)
    if party == "south":
        raise LookupError(f"no bridge in the {party}")
# ANCHOR_END: climb


async def main():
    try:
        # ANCHOR: day
        async with asyncio.TaskGroup() as group:
            group.create_task(climb("north", 3))
            group.create_task(climb("south", 1))
            group.create_task(climb("west", 2))
        # ANCHOR_END: day
        raise AssertionError("there is no bridge")
    # ANCHOR: failed
    except* LookupError as failed:
        (error,) = failed.exceptions
        assert str(error) == "no bridge in the south"
    # ANCHOR_END: failed
    # ANCHOR: down
    assert roped_up == [] and len(asyncio.all_tasks()) == 1
    # ANCHOR_END: down
# ANCHOR_END: mountain


asyncio.run(main())
