# ANCHOR: keep
import asyncio


async def run_all(items, limit, timeout, work):
    """Runs `work` for each item, at most `limit` at the same time. Returns
    each item with its result or error, in the order in which they end."""
    items, results = iter(items), []

    # ANCHOR: work
    async def worker():
        for item in items:
            try:
                async with asyncio.timeout(timeout):
                    result = await work(item)
            except (Exception, asyncio.CancelledError) as error:
                if asyncio.current_task().cancelling():
                    raise  # not the work, but the caller is cancelled
                result = error
            results.append((item, result))
    # ANCHOR_END: work

    # ANCHOR: limit
    async with asyncio.TaskGroup() as group:
        for _ in range(max(1, limit)):
            group.create_task(worker())
    # ANCHOR_END: limit
    return results
# ANCHOR_END: keep


# A carrier, and what must come of it.
class Carrier:
    def __init__(self):
        self.pending = self.peak = 0

    async def track(self, parcel):
        self.pending += 1
        self.peak = max(self.peak, self.pending)
        try:
            await asyncio.sleep(0.01 if parcel != 99 else 60)
            if parcel == 404:
                raise ConnectionError("404 Not Found")
            return "in transit"
        finally:
            self.pending -= 1


async def main():
    carrier = Carrier()
    parcels, tracked, failed = [7, 8, 404], {}, {}
    # ANCHOR: call
    for parcel, result in await run_all(parcels, 100, 3, carrier.track):
        if isinstance(result, BaseException):
            failed[parcel] = result
        else:
            tracked[parcel] = result
    # ANCHOR_END: call
    assert tracked == {7: "in transit", 8: "in transit"}
    assert str(failed[404]) == "404 Not Found"
    assert (carrier.pending, carrier.peak) == (0, 3)

    for count, limit, peak in [(5, 5, 5), (5, 2, 2), (5, 0, 1), (0, 5, 0)]:
        carrier.peak = 0
        results = await run_all(range(count), limit, 3, carrier.track)
        assert sorted(results) == [(n, "in transit") for n in range(count)]
        assert (carrier.pending, carrier.peak) == (0, peak)

    results = dict(await run_all([1, 404, 99, 2], 2, 0.1, carrier.track))
    assert results[1] == results[2] == "in transit"
    assert str(results[404]) == "404 Not Found"
    assert isinstance(results[99], TimeoutError)
    assert carrier.pending == 0

    # The work awaits a task that is cancelled.
    async def cancelled(_):
        task = asyncio.create_task(asyncio.sleep(60))
        task.cancel()
        await task

    results = await run_all(range(3), 2, 3, cancelled)
    assert [type(error) for _, error in results] == [asyncio.CancelledError] * 3

    # The caller is cancelled, and so are the requests.
    carrier.peak = 0
    try:
        async with asyncio.timeout(0.05):
            await run_all([99] * 10, 2, 3, carrier.track)
        raise AssertionError("they have ended")
    except TimeoutError:
        assert (carrier.pending, carrier.peak) == (0, 2)


asyncio.run(main())
