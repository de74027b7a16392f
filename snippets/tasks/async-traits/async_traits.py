# ANCHOR: film
import asyncio
import functools


class Cut(Exception):
    pass


# ANCHOR: takes
def takes(limit):
    def decorate(scene):
        @functools.wraps(scene)
        async def shoot(*args, **kwargs):
            for _ in range(1, limit):
                try:
                    return await scene(*args, **kwargs)
                except Cut:
                    pass
            return await scene(*args, **kwargs)
        return shoot
    return decorate
# ANCHOR_END: takes


# ANCHOR: timed
def timed(scene):
    @functools.wraps(scene)
    async def clocked(*args, **kwargs):
        now = asyncio.get_running_loop().time
        start = now()
        end = await scene(*args, **kwargs)
        return end, now() - start
    return clocked
# ANCHOR_END: timed


# ANCHOR: scene
@timed
@takes(3)
async def kiss(reel):
    reel.append("kiss")
    await asyncio.sleep(0.01)
    if len(reel) < 3:
        raise Cut
    return "a kiss"
# ANCHOR_END: scene


async def main():
    # ANCHOR: shoot
    reel = []
    end, seconds = await kiss(reel)
    # ANCHOR_END: shoot
    assert end == "a kiss" and reel == 3 * ["kiss"]
    assert seconds >= 0.025
# ANCHOR_END: film


asyncio.run(main())
