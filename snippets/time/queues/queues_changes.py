import asyncio


# ANCHOR: tie
class Label:
    pass


async def main():
    jobs = asyncio.PriorityQueue()
    jobs.put_nowait((1, Label()))
    try:
        jobs.put_nowait((1, Label()))
        raise AssertionError("compared")
    except TypeError as error:
        assert "'<' not supported" in str(error)
    assert jobs.qsize() == 2  # it is in the queue nonetheless
# ANCHOR_END: tie


asyncio.run(main())
