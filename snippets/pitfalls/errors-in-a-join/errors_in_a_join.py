# ANCHOR: keep
import asyncio


# ANCHOR: failed
class Failed(Exception):
    """Which task failed first, and all tasks: each keeps how it has ended."""

    def __init__(self, first, tasks):
        super().__init__(f"index {first}: {tasks[first].exception()}")
        self.first = first
        self.tasks = tasks
# ANCHOR_END: failed


async def run_all(coroutines):
    """Runs all. The first error cancels the others.

    When it returns, all have ended, and nothing that they returned is lost.
    """
    tasks = []
    try:
        async with asyncio.TaskGroup() as group:
            # ANCHOR: spawn
            for coroutine in coroutines:
                tasks.append(group.create_task(coroutine))
            # ANCHOR_END: spawn
    except ExceptionGroup as failed:
        errors = [
            None if task.cancelled() else task.exception() for task in tasks
        ]
        first = errors.index(failed.exceptions[0])
        raise Failed(first, tasks) from failed
    # ANCHOR: values
    return [task.result() for task in tasks]
    # ANCHOR_END: values
# ANCHOR_END: keep


# A carrier that sells labels, and what must come of it.
import logging
import selectors

log = logging.getLogger(__name__)


class Clock(selectors.DefaultSelector):
    """Jumps to the next timer, as tokio's paused clock does."""

    now = 0

    def select(self, timeout=None):
        self.now += timeout or 0
        return super().select(0)


class Carrier:
    def __init__(self):
        self.sold = []  # the keys of the labels

    async def buy(self, key):
        half = key % 10 / 2
        await asyncio.sleep(half)
        if key < 40:
            self.sold.append(key)
        await asyncio.sleep(half)
        if key < 40:
            return key
        if key < 90:
            raise ConnectionError("402 Payment Required")
        raise ValueError("a comma in the price")

    async def void(self, key):
        """Takes a label back, if one was sold."""
        if key in self.sold:
            self.sold.remove(key)


# ANCHOR: call
async def buy_all(carrier, keys):
    """Buys a label for each key, or none."""
    try:
        return await run_all(carrier.buy(key) for key in keys)
    except Failed as failed:
        for key, task in zip(keys, failed.tasks):
            log.info("key %s: %r", key, task)
            await carrier.void(key)  # it was sold, or it may have been
        raise
# ANCHOR_END: call


def words(tasks):
    """How each task has ended, in a word."""
    return [
        "cancelled" if task.cancelled()
        else "failed" if task.exception() else "done"
        for task in tasks
    ]


async def main():
    carrier = Carrier()
    try:
        await buy_all(carrier, [1, 42, 3])
        raise AssertionError("it is refused")
    except Failed as failed:
        assert str(failed) == "index 1: 402 Payment Required"
        assert words(failed.tasks) == ["done", "failed", "cancelled"]
    assert carrier.sold == []
    assert await buy_all(carrier, [3, 1]) == [3, 1]
    assert carrier.sold == [1, 3]

    now = asyncio.get_running_loop().time
    for keys, seconds, first, ends in [
        ([], 0, {None}, []),
        ([3, 1, 2], 3, {None}, []),
        ([1, 42, 3], 2, {1}, ["done", "failed", "cancelled"]),
        (
            [1, 41, 11, 51, 91, 3],
            1,
            {1, 3, 4},  # timers of one moment fire in any order
            ["done", "failed", "done", "failed", "failed", "cancelled"],
        ),
        ([3, 91], 1, {1}, ["cancelled", "failed"]),
        ([43, 42, 41], 1, {2}, ["cancelled", "cancelled", "failed"]),
    ]:
        start = now()
        try:
            labels = await run_all(carrier.buy(key) for key in keys)
            assert (labels, first) == (keys, {None})
        except Failed as failed:
            assert failed.first in first
            assert words(failed.tasks) == ends
        assert now() - start == seconds and len(asyncio.all_tasks()) == 1


clock = Clock()
loop = asyncio.SelectorEventLoop(clock)
loop.time = lambda: clock.now
with asyncio.Runner(loop_factory=lambda: loop) as runner:
    runner.run(main())
