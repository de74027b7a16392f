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
            if shift == tries - 1:
                raise
            dark.append(f"{error}, again in {pause * 1000:g} ms")
        # ANCHOR_END: end
        # ANCHOR: pause
        await asyncio.sleep(pause)
        pause = min(2 * pause, 0.06)
        # ANCHOR_END: pause


async def main():
    # ANCHOR: run
    await supervise(keep, tries=5)
    # ANCHOR_END: run
    assert dark == ["no oil, again in 1 ms", "no oil, again in 2 ms"]
# ANCHOR_END: lighthouse


async def gives_up():
    try:
        await supervise(keep, tries=2)
        raise AssertionError("two tries are not enough")
    except LookupError:
        assert dark[2:] == ["no oil, again in 1 ms"]


async def both():
    await main()
    await gives_up()


asyncio.run(both())
