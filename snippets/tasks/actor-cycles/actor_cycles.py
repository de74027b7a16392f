# ANCHOR: keep
import asyncio
import enum
from dataclasses import dataclass


# ANCHOR: find
class Answer(enum.Enum):
    HERE = enum.auto()
    UNKNOWN = enum.auto()
    BUSY = enum.auto()


@dataclass
class Find:
    """Which depot has the parcel?"""

    parcel: int
    hops: int  # how many more depots may be asked
    reply: asyncio.Future
# ANCHOR_END: find


# ANCHOR: depot
async def depot(name, parcels, requests, next_requests):
    """An actor that knows its own parcels, and passes other requests on."""
    while True:
        find = await requests.get()
        if find.parcel in parcels:
            answer(find, (Answer.HERE, name))
        elif not find.hops:
            answer(find, (Answer.UNKNOWN, None))
        else:
            find.hops -= 1
            pass_on(next_requests, find)
# ANCHOR_END: depot


# ANCHOR: pass_on
def pass_on(next_requests, find):
    """Sends a request to the next actor, but waits for nothing."""
    try:
        next_requests.put_nowait(find)
    except asyncio.QueueFull:
        answer(find, (Answer.BUSY, None))
# ANCHOR_END: pass_on


def answer(find, result):
    if not find.reply.cancelled():
        find.reply.set_result(result)


# ANCHOR: ask
async def ask(requests, parcel, hops, limit):
    """Asks a depot, which may pass the request on."""
    reply = asyncio.get_running_loop().create_future()
    async with asyncio.timeout(limit):
        await requests.put(Find(parcel, hops, reply))
        return await reply
# ANCHOR_END: ask
# ANCHOR_END: keep


# Two depots, each of which has a parcel, and the other one is asked for it.
async def main():
    # ANCHOR: call
    north, south = asyncio.Queue(2), asyncio.Queue(2)
    depots = [
        asyncio.create_task(depot("north", {1}, north, south)),
        asyncio.create_task(depot("south", {2}, south, north)),
    ]
    here = await ask(north, 1, 1, 1)
    there = await ask(north, 2, 1, 1)
    nowhere = await ask(north, 3, 5, 1)
    # ANCHOR_END: call
    assert here == (Answer.HERE, "north")
    assert there == (Answer.HERE, "south")
    assert nowhere == (Answer.UNKNOWN, None)
    assert await ask(north, 2, 0, 1) == (Answer.UNKNOWN, None)

    # Both queues are full of requests for the other depot's parcel.
    crowd = [ask(north, 2, 1, 60) for _ in range(6)]
    crowd += [ask(south, 1, 1, 60) for _ in range(6)]
    answers = [found for found, _ in await asyncio.gather(*crowd)]
    assert 0 < answers.count(Answer.BUSY) < len(answers)

    # ANCHOR: silent
    # A depot has ended. Only the limit ends the wait.
    for task in depots:
        task.cancel()
    await asyncio.wait(depots)
    try:
        await ask(north, 1, 1, 0.01)
    except TimeoutError:
        pass
    else:
        raise AssertionError("nothing receives it")
    # ANCHOR_END: silent


asyncio.run(main())
