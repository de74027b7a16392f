import asyncio


# ANCHOR: test
# ANCHOR: careful
async def carry(belt, cart):
    while True:
        suitcase = await belt.get()
        try:
            await cart.put(suitcase)
        except asyncio.CancelledError:
            belt.put_nowait(suitcase)
            raise
# ANCHOR_END: careful


# ANCHOR: careless
async def carry_and_lose(belt, cart):
    while True:
        suitcase = await belt.get()
        await cart.put(suitcase)
# ANCHOR_END: careless


async def found_after(steps, carry):
    """Cancels after so many turns of the loop; returns what is left."""
    plane, belt, cart = [3, 2, 1], asyncio.Queue(), asyncio.Queue(1)
    porter = asyncio.create_task(carry(belt, cart))
    # ANCHOR: drop
    for _ in range(steps):
        if plane:
            belt.put_nowait(plane.pop())
        await asyncio.sleep(0)
    porter.cancel()
    await asyncio.wait([porter])
    # ANCHOR_END: drop
    # ANCHOR: found
    for queue in (belt, cart):
        plane += [queue.get_nowait() for _ in range(queue.qsize())]
    return sorted(plane)
    # ANCHOR_END: found


async def main():
    # ANCHOR: not_lost
    for steps in range(6):
        assert await found_after(steps, carry) == [1, 2, 3]
    # ANCHOR_END: not_lost
    # ANCHOR: lost
    found = [await found_after(steps, carry_and_lose) for steps in range(6)]
    assert found == [[1, 2, 3]] * 2 + [[1, 3]] * 4
    # ANCHOR_END: lost
# ANCHOR_END: test


asyncio.run(main())
