# ANCHOR: keep
import asyncio
import types
from functools import partial

TIMEOUT = 60  # seconds, of one run
STEPS = 100  # that the work may take


class Cancel:
    """Cancels the work of one run, before a step or after it."""

    def __init__(self, moment):
        self.moment = moment
        self.completed = False

    async def run(self, work):
        """Awaits `work`, or cancels it at the moment of this run."""
        steps = self._steps(work) if self.moment else work
        task = asyncio.create_task(steps)
        if not self.moment:
            task.cancel()  # not begun
        await asyncio.wait([task])
        return None if task.cancelled() else task.result()

    # ANCHOR: moment
    @types.coroutine
    def _steps(self, work):
        task, left = asyncio.current_task(), self.moment
        resume = partial(work.send, None)
        while True:
            try:
                waits_for = resume()
            except StopIteration as end:
                self.completed = left > 0
                return end.value
            if left == 2 and waits_for:
                waits_for.add_done_callback(lambda _: task.cancel())  # woken
            elif left in (1, 2):
                task.cancel()  # it begins to wait
            left -= 2
            try:
                resume = partial(work.send, (yield waits_for))
            except BaseException as error:
                resume = partial(work.throw, error)
    # ANCHOR_END: moment


async def cancel_everywhere(scenario):
    """When the work of each run was cancelled, and what the run returned."""
    results = []
    for moment in range(2 * STEPS):
        # ANCHOR: scenario
        name = f"{['before', 'after'][moment % 2]} step {moment // 2 + 1}"
        cancel = Cancel(moment)
        try:
            async with asyncio.timeout(TIMEOUT):
                result = await scenario(cancel)
        except TimeoutError as error:
            raise RuntimeError(f"{name}: it hangs") from error
        # ANCHOR_END: scenario
        if cancel.completed:
            return [*results, ("never", result)]
        results.append((name, result))
    raise RuntimeError(f"it has not completed after {STEPS} steps")
# ANCHOR_END: keep


# ANCHOR: call
async def store_all(events, store, held):
    """Passes events on until `None`, and keeps in `held` what it has."""
    while True:
        if not held:
            held.append(await events.get())
        if held[0] is None:
            return
        await store.put(held[0])
        held.clear()


async def no_event_is_lost():
    async def scenario(cancel):
        events, store, held = asyncio.Queue(), asyncio.Queue(1), []
        for event in (1, 2, 3, None):
            events.put_nowait(event)
        stored = asyncio.create_task(take_all(store))
        await cancel.run(store_all(events, store, held))
        await store_all(events, store, held)  # what is left
        await store.put(None)
        return await stored

    for cancelled, stored in await cancel_everywhere(scenario):
        assert stored == [1, 2, 3], f"cancelled {cancelled}"
# ANCHOR_END: call


async def take_all(store):
    stored = []
    while (event := await store.get()) is not None:
        stored.append(event)
    return stored


# ANCHOR: put_back
async def puts_back(events, store, _):
    while (event := await events.get()) is not None:
        try:
            await store.put(event)
        except asyncio.CancelledError:
            events.put_nowait(event)
            raise
# ANCHOR_END: put_back


async def loses(events, store, _):
    while (event := await events.get()) is not None:
        await store.put(event)


async def found(work, room=1):
    """What is stored, and then what is left, for each moment."""
    async def scenario(cancel):
        events, store, held = asyncio.Queue(), asyncio.Queue(room), []
        for event in (1, 2, 3, None):
            events.put_nowait(event)
        stored = asyncio.create_task(take_all(store))
        await cancel.run(work(events, store, held))
        await store.put(None)
        found = await stored + held
        while not events.empty():
            found.append(events.get_nowait())
        return [event for event in found if event]

    return dict(await cancel_everywhere(scenario))


async def of_work(work):
    """What the work returns, for each moment."""
    return await cancel_everywhere(lambda cancel: cancel.run(work()))


async def yields():
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return 7


async def refuses():
    """Swallows what is thrown into it, in its first wait."""
    try:
        await asyncio.sleep(0.001)
    except asyncio.CancelledError:
        return "refused"
    await asyncio.sleep(0.001)


async def waits_for_reply():
    """Only a task that is woken has a reply to lose."""
    loop = asyncio.get_running_loop()
    reply = loop.create_future()
    loop.call_soon(lambda: reply.cancelled() or reply.set_result(7))
    try:
        return await reply
    except asyncio.CancelledError:
        if not reply.cancelled():
            return "lost"
        raise


runs = 0


async def spins():
    global runs
    runs += 1
    while True:
        await asyncio.sleep(0)


async def fails():
    await asyncio.sleep(0)
    raise LookupError("a bug")


async def nothing():
    pass


async def cases():
    global TIMEOUT
    results = await found(store_all)
    assert all(events == [1, 2, 3] for events in results.values())
    results = await found(loses)
    assert results == {
        "before step 1": [1, 2, 3],
        "after step 1": [1, 3],
        "before step 2": [1, 3],
        "after step 2": [1, 2],
        "before step 3": [1, 2],
        "never": [1, 2, 3],
    }
    # With room for all, no `put` waits, and the work cannot be cancelled.
    results = await found(loses, room=4)
    assert list(results) == ["before step 1", "never"]
    results = await found(puts_back)
    assert results["after step 1"] == [1, 3, 2]

    # The queue has been filled meanwhile: the event that it had is lost.
    events, store = asyncio.Queue(1), asyncio.Queue(1)
    store.put_nowait(0)
    events.put_nowait(1)
    task = asyncio.create_task(puts_back(events, store, None))
    await asyncio.sleep(0)
    events.put_nowait(2)
    task.cancel()
    await asyncio.wait([task])
    assert isinstance(task.exception(), asyncio.QueueFull)
    left = events.get_nowait(), store.get_nowait()
    assert left == (2, 0) and events.empty() and store.empty()

    assert await of_work(yields) == [
        ("before step 1", None),
        ("after step 1", None),
        ("before step 2", None),
        ("after step 2", None),
        ("before step 3", None),
        ("never", 7),
    ]
    assert await of_work(nothing) == [("before step 1", None), ("never", None)]
    # A task that refuses has not completed by itself.
    assert [result for _, result in await of_work(refuses)] == [
        None, "refused", "refused", None, None, None
    ]
    assert await of_work(waits_for_reply) == [
        ("before step 1", None),
        ("after step 1", None),
        ("before step 2", "lost"),
        ("never", 7),
    ]

    TIMEOUT = 0.01
    for work, error in [
        (asyncio.Event().wait, "before step 2: it hangs"),
        (spins, "it has not completed after 100 steps"),
    ]:
        try:
            await of_work(work)
            raise AssertionError("it ends")
        except RuntimeError as hang:
            assert str(hang) == error
    assert runs == 199, "the first one is cancelled before it begins"
    try:
        await of_work(fails)
        raise AssertionError("it has a bug")
    except LookupError as error:
        assert str(error) == "a bug"


async def main():
    await no_event_is_lost()
    await cases()


asyncio.run(main())
