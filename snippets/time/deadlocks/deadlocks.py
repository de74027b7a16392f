import asyncio


# ANCHOR: all
# ANCHOR: drive
async def drive(track, log):
    async with track:
        log.append("a train")
# ANCHOR_END: drive


async def signal_box(track, log):
    # ANCHOR: train
    train = asyncio.create_task(drive(track, log))
    # ANCHOR_END: train
    # ANCHOR: late
    done, _ = await asyncio.wait([train], timeout=0.01)
    if not done:
        async with track:
            log.append("a look")
        await train
    # ANCHOR_END: late
# ANCHOR_END: all


async def repair(track, log):
    async with track:
        await asyncio.sleep(0.05)
        log.append("repaired")


async def main():
    track, log = asyncio.Lock(), []
    repairing = asyncio.create_task(repair(track, log))
    await asyncio.sleep(0)
    await signal_box(track, log)
    await repairing
    assert log == ["repaired", "a train", "a look"]


asyncio.run(main())
