import asyncio

# ANCHOR: script
SCRIPT = {}


def scene(function):
    SCRIPT[function.__name__] = function
    return function


@scene
async def kiss(actor):
    return f"{actor} kisses"


@scene
async def duel(actor):
    return f"{actor} draws"


async def play(name, actor):
    return await SCRIPT[name](actor)
# ANCHOR_END: script


async def main():
    assert await play("duel", "Ada") == "Ada draws"
    assert await play("kiss", "Ben") == "Ben kisses"


asyncio.run(main())
