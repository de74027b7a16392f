# ANCHOR: taxi
import asyncio


# ANCHOR: call
async def call(company, minutes):
    await asyncio.sleep(minutes / 1000)
    if company == "Swift":
        raise LookupError(f"{company}: no car left")
    return company
# ANCHOR_END: call


# ANCHOR: race
async def first_success(calls):
    tasks = [asyncio.create_task(call) for call in calls]
    try:
        for answer in asyncio.as_completed(tasks):
            try:
                return await answer
            except LookupError as error:
                last = error
        raise last
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
# ANCHOR_END: race


async def main():
    # ANCHOR: companies
    calls = [call("Castle", 9), call("Swift", 1), call("Harbour", 4)]
    # ANCHOR_END: companies
    # ANCHOR: winner
    assert await first_success(calls) == "Harbour"
    assert len(asyncio.all_tasks()) == 1
    # ANCHOR_END: winner
# ANCHOR_END: taxi


asyncio.run(main())
