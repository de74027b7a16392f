# ANCHOR: greenhouse
import asyncio

litres = 0


# ANCHOR: water
async def water():
    global litres
    while True:
        await asyncio.sleep(0.001)
        litres += 1
# ANCHOR_END: water


# ANCHOR: inspect
async def inspect():
    await asyncio.sleep(0.01)
    raise LookupError("greenfly")
# ANCHOR_END: inspect


# ANCHOR: tend
async def tend():
    watering = asyncio.create_task(water())
    try:
        await inspect()
    finally:
        watering.cancel()
        await asyncio.wait([watering])
# ANCHOR_END: tend


async def main():
    try:
        await tend()
        raise AssertionError("there is greenfly")
    except LookupError:
        pass
    # ANCHOR: dry
    assert litres > 0 and len(asyncio.all_tasks()) == 1
    # ANCHOR_END: dry
# ANCHOR_END: greenhouse


asyncio.run(main())
