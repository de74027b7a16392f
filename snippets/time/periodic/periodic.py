import asyncio

begun = []


# ANCHOR: all
# ANCHOR: wind
async def wind(time):
    begun.append(asyncio.get_running_loop().time())
    await asyncio.sleep(0.25 if time == 2 else 0.01)
# ANCHOR_END: wind


async def keep_turning(period, stop):
    now = asyncio.get_running_loop().time
    # ANCHOR: due
    due, times = now(), 0
    # ANCHOR_END: due
    while True:
        # ANCHOR: next
        try:
            async with asyncio.timeout_at(due):
                return await stop.wait()
        except TimeoutError:
            due += period * (1 + (now() - due) // period)
        # ANCHOR_END: next
        times += 1
        # ANCHOR: job
        await wind(times)
        # ANCHOR_END: job


async def main():
    stop = asyncio.Event()
    keeper = asyncio.create_task(keep_turning(0.1, stop))
    await asyncio.sleep(0.55)
    # ANCHOR: stop
    stop.set()
    await keeper
    # ANCHOR_END: stop
# ANCHOR_END: all


asyncio.run(main())
hours = [round((time - begun[0]) / 0.1, 1) for time in begun]
assert hours[0] == 0 and 1 <= hours[1] < 3.5
assert len(begun) <= 6
