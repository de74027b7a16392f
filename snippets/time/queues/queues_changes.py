import asyncio
import heapq


# ANCHOR: tie
class Patient:
    pass


async def a_tie():
    room = asyncio.PriorityQueue()
    room.put_nowait((1, Patient()))
    room.put_nowait((2, Patient()))
    try:
        room.put_nowait((1, Patient()))
        raise AssertionError("compared")
    except TypeError as error:
        assert "'<' not supported" in str(error)
    # The third one is in the heap nonetheless, and perhaps not in its place.
    assert room.qsize() == 3
# ANCHOR_END: tie


# ANCHOR: due
async def due_on_time(orders, looked_at):
    """Orders are (moment, patient); `None` ends it. Returns what is left."""
    loop, due = asyncio.get_running_loop(), []
    while True:
        moment = due[0][0] if due else None
        try:
            async with asyncio.timeout_at(moment):
                order = await orders.get()
            if order is None:
                return due
            heapq.heappush(due, order)
        except TimeoutError:
            looked_at.append(heapq.heappop(due)[1])


async def main():
    await a_tie()

    now, looked_at = asyncio.get_running_loop().time(), []
    orders = asyncio.Queue()
    rounds = asyncio.create_task(due_on_time(orders, looked_at))
    orders.put_nowait((now + 60, "cat"))
    await asyncio.sleep(0)
    orders.put_nowait((now + 0.01, "dog"))  # wakes it, and comes first
    orders.put_nowait((now + 120, "horse"))
    while not looked_at:
        await asyncio.sleep(0.01)
    orders.put_nowait(None)
    assert await rounds == [(now + 60, "cat"), (now + 120, "horse")]
    assert looked_at == ["dog"]
# ANCHOR_END: due


asyncio.run(main())
