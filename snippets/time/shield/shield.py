# ANCHOR: keep
import asyncio


class Busy(Exception):
    """Too much runs, or the shutdown has begun: the work was not started."""


class Shield:
    """Work that goes on if its caller is cancelled: at most `limit` at the
    same time, each for `timeout` seconds at most."""

    # ANCHOR: new
    def __init__(self, limit, timeout, report):
        """`report` is called with each error, also if the caller has gone."""
        self.limit, self.timeout, self.report = limit, timeout, report
        self.tasks = set()  # the loop keeps weak references
        self.closed = False
    # ANCHOR_END: new

    # ANCHOR: run
    async def run(self, work):
        """Runs the coroutine in a task of its own."""
        if self.closed or len(self.tasks) >= self.limit:
            work.close()
            raise Busy

        async def limited():
            async with asyncio.timeout(self.timeout):
                return await work

        def ended(task):
            self.tasks.discard(task)
            error = None if task.cancelled() else task.exception()
            if error:
                self.report(error)

        task = asyncio.create_task(limited())
        self.tasks.add(task)
        task.add_done_callback(ended)
        return await asyncio.shield(task)
    # ANCHOR_END: run

    # ANCHOR: shut_down
    async def shut_down(self, drain):
        """Refuses new work, and waits for what runs. Returns how much of it
        still runs after `drain` seconds."""
        self.closed = True
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=drain)
        return len(self.tasks)
    # ANCHOR_END: shut_down
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


seen, reported = [], []
shield = Shield(2, 30, reported.append)


async def quote():
    await asyncio.sleep(1)
    return 700


async def buy(cents):
    seen.append("paid")
    await asyncio.sleep(1)
    seen.append("stored")
    return f"a label for {cents} cents"


# ANCHOR: call
async def buy_label():
    # A caller that is cancelled here has bought nothing.
    cents = await quote()

    return await shield.run(buy(cents))
# ANCHOR_END: call


async def fails():
    await asyncio.sleep(1)
    raise OSError("402 Payment Required")


async def given_up(seconds, work):
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        return
    raise AssertionError("it is cancelled before")


async def main():
    assert await buy_label() == "a label for 700 cents"

    seen.clear()
    await given_up(0.5, buy_label())
    await asyncio.sleep(60)
    assert seen == []

    await given_up(1.5, buy_label())
    assert seen == ["paid"]
    await asyncio.sleep(60)
    assert seen == ["paid", "stored"]

    # An error, and work that is too slow: with the caller, and without.
    for is_there in [True, False]:
        if is_there:
            slow = quote_slowly()
            for work, error in [(fails(), OSError), (slow, TimeoutError)]:
                try:
                    await shield.run(work)
                    raise AssertionError("an error")
                except error:
                    pass
        else:
            await given_up(0.1, shield.run(fails()))
            await given_up(0.1, shield.run(quote_slowly()))
            await asyncio.sleep(60)
        kinds = [type(error) for error in reported]
        assert kinds == [OSError, TimeoutError], reported
        assert not shield.tasks
        reported.clear()

    # Too many callers, and a shutdown.
    now = asyncio.get_running_loop().time
    for seconds in [3, 20]:
        await given_up(0.001, shield.run(asyncio.sleep(seconds)))
    try:
        await shield.run(quote())
        raise AssertionError("two run")
    except Busy:
        pass
    start = now()
    assert await shield.shut_down(10) == 1
    assert now() - start == 10
    try:
        await shield.run(quote())
        raise AssertionError("it is closed")
    except Busy:
        pass
    assert await shield.shut_down(10) == 0
    assert not reported


async def quote_slowly():
    await asyncio.sleep(31)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=PausedLoop) as runner:
        runner.run(main())
