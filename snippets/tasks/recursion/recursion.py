import asyncio
from collections import deque

CAVE = [[1, 2, 3], [0, 4], [0, 4, 5], [0, 6], [1, 2], [2, 7], [3], [5]]


# ANCHOR: cave
# ANCHOR: visit
async def visit(chamber):
    await asyncio.sleep(len(CAVE[chamber]) / 1000)
    return CAVE[chamber]
# ANCHOR_END: visit


# ANCHOR: walk
async def walk(chamber, seen):
    for passage in await visit(chamber):
        if passage not in seen:
            seen.add(passage)
            await walk(passage, seen)
# ANCHOR_END: walk


async def explore(start, teams):
    # ANCHOR: list
    seen, ahead, visits = {start}, deque([start]), set()
    # ANCHOR_END: list
    while ahead or visits:
        # ANCHOR: start
        while ahead and len(visits) < teams:
            chamber = visit(ahead.popleft())
            visits.add(asyncio.create_task(chamber))
        # ANCHOR_END: start
        # ANCHOR: end
        done, visits = await asyncio.wait(
            visits, return_when=asyncio.FIRST_COMPLETED
        )
        new = {p for visited in done for p in visited.result()} - seen
        ahead.extend(sorted(new))
        seen |= new
        # ANCHOR_END: end
    return seen
# ANCHOR_END: cave


async def main():
    seen = {0}
    await walk(0, seen)
    assert seen == set(range(8))
    assert await explore(0, teams=3) == seen


asyncio.run(main())
