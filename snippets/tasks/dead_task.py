# ANCHOR: lighthouse
import asyncio

dark = []


# ANCHOR: keep
async def keep(shift):
    await asyncio.sleep(0.002)
    if shift < 2:
        raise LookupError("no oil")
# ANCHOR_END: keep


async def supervise(keep, tries):
    pause = 0.001
    for shift in range(tries):
        # ANCHOR: end
        try:
            return await keep(shift)
        except Exception as error:
            dark.append(f"{error}, again in {pause * 1000:g} ms")
            last = error
        # ANCHOR_END: end
        # ANCHOR: pause
        await asyncio.sleep(pause)
        pause = min(2 * pause, 0.06)
        # ANCHOR_END: pause
    raise last


async def main():
    # ANCHOR: run
    await supervise(keep, tries=5)
    # ANCHOR_END: run
    assert dark == ["no oil, again in 1 ms", "no oil, again in 2 ms"]
# ANCHOR_END: lighthouse


asyncio.run(main())
