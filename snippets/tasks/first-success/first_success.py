# ANCHOR: keep
import asyncio


# ANCHOR: errors
class NoSuccess(Exception):
    """No task has succeeded. `errors` has the error of each, by its index."""

    def __init__(self, errors):
        text = "; ".join(f"{index}: {e!r}" for index, e in errors.items())
        super().__init__(f"no success: {text}")
        self.errors = errors
# ANCHOR_END: errors


async def first_success(coroutines, timeout):
    """Runs all, and returns the first value, with the errors of the others.

    The first success cancels the others. All have ended when it returns.
    """

    # ANCHOR: spawn
    async def limited(coroutine):
        async with asyncio.timeout(timeout):
            return await coroutine

    tasks = [asyncio.create_task(limited(c)) for c in coroutines]
    # ANCHOR_END: spawn

    def error_of(task):
        cancelled = asyncio.CancelledError() if task.cancelled() else None
        return cancelled or task.exception()

    # ANCHOR: wait
    winner, pending = None, tasks
    try:
        while pending and not winner:
            done, pending = await asyncio.wait(
                pending, return_when=asyncio.FIRST_COMPLETED
            )
            winner = next((task for task in done if not error_of(task)), None)
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
    # ANCHOR_END: wait
    errors = {
        index: error
        for index, task in enumerate(tasks)
        if (error := error_of(task)) and not (winner and task.cancelled())
    }
    if not winner:
        raise NoSuccess(errors)
    return winner.result(), errors
# ANCHOR_END: keep


# Carriers that are asked for a parcel, and what must come of it.
import selectors


class Clock(selectors.DefaultSelector):
    """Jumps to the next timer, as tokio's paused clock does."""

    now = 0

    def select(self, timeout=None):
        self.now += timeout or 0
        return super().select(0)


async def track(seconds, reply):
    await asyncio.sleep(seconds)
    if reply == "404 Not Found":
        raise LookupError(reply)
    if reply == "bug":
        raise ValueError("a comma in the number")
    if reply == "cancelled":
        raise asyncio.CancelledError
    if reply == "silence":
        await asyncio.sleep(60)
    return reply


async def main():
    failed = []
    # ANCHOR: call
    carriers = [(9, "in transit"), (1, "404 Not Found"), (4, "delivered")]
    coroutines = [track(*carrier) for carrier in carriers]
    status, errors = await first_success(coroutines, 5)
    for index, error in errors.items():
        failed.append(f"carrier {index}: {error}")
    # ANCHOR_END: call
    assert status == "delivered"
    assert failed == ["carrier 1: 404 Not Found"]

    now = asyncio.get_running_loop().time
    for carriers, seconds, status, errors in [
        (
            [(1, "404 Not Found"), (2, "delivered"), (3, "in transit")],
            2,
            {"delivered"},
            {0: LookupError},
        ),
        (
            [(3, "in transit"), (1, "bug"), (2, "delivered")],
            2,
            {"delivered"},
            {1: ValueError},
        ),
        (
            [(1, "404 Not Found"), (1, "delivered"), (1, "bug"), (1, "lost")],
            1,
            {"delivered", "lost"},
            {0: LookupError, 2: ValueError},
        ),
        ([(0, "silence"), (2, "delivered")], 2, {"delivered"}, {}),
        (
            [(0, "silence"), (2, "404 Not Found"), (1, "bug")],
            5,
            None,
            {0: TimeoutError, 1: LookupError, 2: ValueError},
        ),
        ([(0, "cancelled")], 0, None, {0: asyncio.CancelledError}),
        ([], 0, None, {}),
    ]:
        start = now()
        try:
            coroutines = [track(*carrier) for carrier in carriers]
            value, failed = await first_success(coroutines, 5)
            assert value in status
        except NoSuccess as error:
            assert status is None
            assert ("; 1: LookupError(" in str(error)) == (len(errors) == 3)
            failed = error.errors
        found = {index: type(error) for index, error in failed.items()}
        assert list(found.items()) == list(errors.items())
        assert now() - start == seconds and len(asyncio.all_tasks()) == 1

    # The caller is cancelled, and waits for the task that it cancels.
    try:
        async with asyncio.timeout(2):
            await first_success([track(3, "delivered")], 5)
        raise AssertionError("it has ended")
    except TimeoutError:
        assert len(asyncio.all_tasks()) == 1


clock = Clock()
loop = asyncio.SelectorEventLoop(clock)
loop.time = lambda: clock.now
with asyncio.Runner(loop_factory=lambda: loop) as runner:
    runner.run(main())
