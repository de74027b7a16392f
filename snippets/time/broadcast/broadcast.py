# ANCHOR: keep
import asyncio
from collections import deque


class Tracking:
    """The status of each parcel, and its changes for all subscribers."""

    # ANCHOR: new
    def __init__(self, capacity):
        self.capacity = capacity
        self.statuses, self.subscriptions, self.closed = {}, set(), False
    # ANCHOR_END: new

    # ANCHOR: set
    def set(self, parcel, status):
        self.statuses[parcel] = status
        for subscription in self.subscriptions:
            subscription.add((parcel, status))
    # ANCHOR_END: set

    def subscribe(self):
        return Subscription(self)

    def close(self):
        self.closed = True
        for subscription in self.subscriptions:
            subscription.arrived.set()


class Subscription:
    """Gets a snapshot, then each event, and a new snapshot if it was too slow.

    Use it in a `with` block: at its end, the events are not kept any more.
    """

    def __init__(self, tracking):
        self.tracking, self.events = tracking, deque()
        self.arrived, self.is_behind = asyncio.Event(), True

    def __enter__(self):
        self.tracking.subscriptions.add(self)
        return self

    def __exit__(self, *_):
        self.tracking.subscriptions.discard(self)

    def add(self, event):
        if len(self.events) == self.tracking.capacity:
            self.is_behind = True
        if not self.is_behind:
            self.events.append(event)
        self.arrived.set()

    # ANCHOR: next
    async def next(self):
        """A dict with all parcels, or a parcel and its status.

        None when `tracking` is closed, and all is received.
        """
        while not (self.is_behind or self.events):
            if self.tracking.closed:
                return None
            self.arrived.clear()
            await self.arrived.wait()
        if self.is_behind:
            self.is_behind = False
            self.events.clear()
            return self.tracking.statuses.copy()
        return self.events.popleft()
    # ANCHOR_END: next
# ANCHOR_END: keep


class PausedLoop(asyncio.SelectorEventLoop):
    """Its clock jumps to the next timer when nothing else can run."""

    paused_at = 0.0

    def __init__(self):
        super().__init__()
        select = self._selector.select

        def jump(timeout):
            self.paused_at += timeout or 0
            return select(timeout and 0)

        self._selector.select = jump

    def time(self):
        return round(self.paused_at, 3)


async def follow(tracking, seconds):
    statuses, snapshots, events = {}, 0, 0
    with tracking.subscribe() as subscription:
        while (update := await subscription.next()) is not None:
            if isinstance(update, dict):
                statuses, snapshots = update, snapshots + 1
            else:
                parcel, status = update
                statuses[parcel], events = status, events + 1
            await asyncio.sleep(seconds)
    return statuses, snapshots, events


async def main():
    # ANCHOR: call
    tracking = Tracking(64)
    with tracking.subscribe() as subscription:  # for each client
        tracking.set(7, "in transit")
        # ANCHOR_END: call
        assert await subscription.next() == {7: "in transit"}
        tracking.set(7, "delivered")
        assert await subscription.next() == (7, "delivered")
    assert not tracking.subscriptions

    tracking = Tracking(4)
    tracking.set(0, "received")
    quick = asyncio.create_task(follow(tracking, 0))
    slow = asyncio.create_task(follow(tracking, 3))
    late = None
    with tracking.subscribe() as cancelled, tracking.subscribe() as never:
        assert await cancelled.next() == {0: "received"}
        for parcel in range(1, 13):
            try:
                async with asyncio.timeout(1):
                    await cancelled.next()
                raise AssertionError("nothing comes")
            except TimeoutError:
                pass
            tracking.set(parcel, "received")
            assert await cancelled.next() == (parcel, "received")
            if parcel == 6:
                late = asyncio.create_task(follow(tracking, 0))
        await asyncio.sleep(60)  # the quick ones wait for an event
        tracking.close()
        everything = {parcel: "received" for parcel in range(13)}
        assert await never.next() == everything
        assert await never.next() is None
        assert await cancelled.next() is None
    assert await quick == (everything, 1, 12)
    assert await late == (everything, 1, 6)
    statuses, snapshots, events = await slow
    assert (statuses, snapshots, events) == (everything, 2, 6)
    assert not tracking.subscriptions


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=PausedLoop) as runner:
        runner.run(main())
