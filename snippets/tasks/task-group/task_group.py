# ANCHOR: keep
import asyncio


async def run_all(coroutines):
    """Runs all, and returns their values in the order of the coroutines.

    The first error cancels the others. All have ended when it returns.
    """
    async with asyncio.TaskGroup() as group:
        # ANCHOR: spawn
        tasks = [group.create_task(coroutine) for coroutine in coroutines]
        # ANCHOR_END: spawn
    # ANCHOR: values
    return [task.result() for task in tasks]
    # ANCHOR_END: values
# ANCHOR_END: keep


# Parcels that are tracked, and what must come of it.
import selectors


class Clock(selectors.DefaultSelector):
    """Jumps to the next timer, as tokio's paused clock does."""

    now = 0

    def select(self, timeout=None):
        self.now += timeout or 0
        return super().select(0)


connected = []


async def track(id, seconds):
    connected.append(id)
    try:
        await asyncio.sleep(seconds)
    finally:
        connected.remove(id)
    if id == 13:
        raise LookupError(f"parcel {id} is unknown")
    assert id != 99, "parcel 99"
    return f"parcel {id} is in transit"


async def main():
    # ANCHOR: call
    statuses = await run_all([track(7, 3), track(8, 1)])
    assert statuses[0] == "parcel 7 is in transit"
    # ANCHOR_END: call

    now = asyncio.get_running_loop().time
    for tasks, seconds, failed in [
        ([], 0, 0),
        ([(1, 3), (2, 1), (3, 2)], 3, 0),
        ([(1, 3), (13, 1), (3, 2)], 1, 1),
        ([(13, 1), (2, 3), (13, 1)], 1, 2),
        ([(13, 2), (13, 1), (3, 1)], 1, 1),
        ([(1, 3), (99, 1)], 1, 1),
        ([(99, 1), (99, 1)], 1, 2),
    ]:
        start = now()
        try:
            statuses = await run_all(track(*task) for task in tasks)
            wanted = [f"parcel {id} is in transit" for id, _ in tasks]
            assert (statuses, failed) == (wanted, 0)
        except* (LookupError, AssertionError) as group:
            assert len(group.exceptions) == failed
        assert now() - start == seconds and connected == []


clock = Clock()
loop = asyncio.SelectorEventLoop(clock)
loop.time = lambda: clock.now
with asyncio.Runner(loop_factory=lambda: loop) as runner:
    runner.run(main())
