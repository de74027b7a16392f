import asyncio


# ANCHOR: changes
async def call(company, answer, rung):
    try:
        await answer.wait()
    finally:
        rung.append(company)
    if company == "Swift":
        raise LookupError(f"{company}: no car left")
    return company


async def main():
    rung = []
    now, never = asyncio.Event(), asyncio.Event()
    now.set()

    # FIRST_COMPLETED is the first end, not the first success: here an error.
    tasks = [
        asyncio.create_task(call("Swift", now, rung)),
        asyncio.create_task(call("Castle", never, rung)),
    ]
    done, pending = await asyncio.wait(
        tasks, return_when=asyncio.FIRST_COMPLETED
    )
    assert [type(task.exception()) for task in done] == [LookupError]

    # And the losers go on until you cancel them, and wait for that.
    assert rung == ["Swift"] and len(pending) == 1
    (castle,) = pending
    castle.cancel()
    assert rung == ["Swift"]
    await asyncio.wait([castle])
    assert rung == ["Swift", "Castle"]
# ANCHOR_END: changes


asyncio.run(main())
