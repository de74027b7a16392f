# ANCHOR: wash
import asyncio

washing = peak = 0


# ANCHOR: car
async def wash(car):
    global washing, peak
    washing += 1
    peak = max(peak, washing)
    await asyncio.sleep(car / 1000)
    washing -= 1
    return car
# ANCHOR_END: car


# ANCHOR: bays
async def wash_all(cars):
    bays = asyncio.Semaphore(3)

    async def wash_in_bay(car):
        async with bays:
            return await wash(car)

    return await asyncio.gather(*map(wash_in_bay, cars))
# ANCHOR_END: bays


async def main():
    cars = [10, 20, 10, 20, 10, 10]
    assert await wash_all(cars) == cars
    # ANCHOR: peak
    assert peak == 3
    # ANCHOR_END: peak
# ANCHOR_END: wash


asyncio.run(main())
