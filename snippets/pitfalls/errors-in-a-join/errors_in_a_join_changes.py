import asyncio

# ANCHOR: changes
booked = []


async def book(part, answer, left):
    await answer.wait()
    if not left:
        raise LookupError(f"no {part} left")
    booked.append(part)
    return part


async def main():
    unhandled = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: unhandled.append(context))
    now, later = asyncio.Event(), asyncio.Event()
    now.set()

    # gather raises the first exception ...
    try:
        await asyncio.gather(
            book("flight", now, left=0),
            book("hotel", later, left=4),
            book("car", later, left=0),
        )
        raise AssertionError("there is no flight")
    except LookupError as error:
        assert str(error) == "no flight left"
    # ... the others run on, with nobody to stop them ...
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert booked == [] and len(others) == 2
    later.set()
    await asyncio.wait(others)
    assert booked == ["hotel"]
    # ... and nobody ever hears that the car has failed as well.
    del others
    assert unhandled == []

    # With return_exceptions, a child's cancellation is a result. A common
    # recipe takes it for a good one, and forgets whose it was.
    hotel = asyncio.create_task(book("hotel", asyncio.Event(), left=4))
    loop.call_soon(hotel.cancel)
    results = await asyncio.gather(
        book("flight", now, left=0),
        hotel,
        book("car", now, left=1),
        return_exceptions=True,
    )
    good = [r for r in results if not isinstance(r, Exception)]
    assert isinstance(good[0], asyncio.CancelledError)
    assert good[1:] == ["car"]
# ANCHOR_END: changes


asyncio.run(main())
