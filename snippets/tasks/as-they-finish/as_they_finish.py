# ANCHOR: night
import asyncio

DISTRICTS = {"Old Town": 90, "Harbour": 20, "Hills": 45}


# ANCHOR: count
async def count(minutes):
    await asyncio.sleep(minutes / 1000)
    if minutes == 45:
        raise ConnectionError("the line is dead")
    return 100 * minutes
# ANCHOR_END: count


# ANCHOR: key
async def report(district, minutes):
    try:
        return district, await count(minutes)
    except ConnectionError as error:
        return district, str(error)
# ANCHOR_END: key


async def main():
    screen = []
    reports = [report(*district) for district in DISTRICTS.items()]
    # ANCHOR: next
    for next_report in asyncio.as_completed(reports):
        screen.append(await next_report)
    # ANCHOR_END: next
    # ANCHOR: order
    assert screen == [
        ("Harbour", 2000),
        ("Hills", "the line is dead"),
        ("Old Town", 9000),
    ]
    # ANCHOR_END: order
# ANCHOR_END: night


asyncio.run(main())
