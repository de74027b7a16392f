import asyncio
import selectors

# The Rust program prints the same lines.
CASES = """\
body 0, a 1, b 2: 2s, ended: [body a b], failed: []
body 3, a 1, b 2: 3s, ended: [a b body], failed: []
body 0, a 1 fails, b 2: 1s, ended: [body], failed: [a]
body 0, a 1, b 2 fails, c 3: 2s, ended: [body a], failed: [b]
body 0, a 1 fails, b 1 fails: 1s, ended: [body], failed: [a b]
body 0, a 1 panics, b 2: 1s, ended: [body], failed: [a]
body 0, a 1 panics, b 1 fails, c 1: 1s, ended: [body c], failed: [a b]
body 3, a 1 fails: 1s, ended: [], failed: [a]
body 1 fails, a 2: 1s, ended: [], failed: [body]
body 1 fails, a 1 fails: 1s, ended: [], failed: [body]
body 1 panics, a 2: 1s, ended: [], failed: [body]
body 1, a 3 cancelled, b 2: 2s, ended: [body b], failed: []
body 0, a 1 spawns b 2: 3s, ended: [body a b], failed: []
body 0, a 1 spawns b 2 fails, c 4: 3s, ended: [body a], failed: [b]
body 3 fails, a 2 repeats: 3s, ended: [a], failed: [body]
body 0, a 1 nests b 2: 3s, ended: [body b a], failed: []
body 0, a 1 nests b 2 fails, c 4: 3s, ended: [body], failed: [b]
body 0, a 1 nests b 1 nests c 3, d 3 fails: 3s, ended: [body], failed: [d]
"""


class Clock(selectors.DefaultSelector):
    """Jumps to the next timer, as tokio's paused clock does."""

    now = 0

    def select(self, timeout=None):
        self.now += timeout or 0
        return super().select(0)


# ANCHOR: work
async def work(group, ended, task):
    name, seconds, *does = task.split(" ", 3)
    await asyncio.sleep(int(seconds))
    match does:
        case ["fails"]:
            raise LookupError(task)
        case ["panics"]:
            raise AssertionError(task)
        case ["repeats"]:
            group.create_task(work(group, ended, task))
        case ["spawns", other]:
            group.create_task(work(group, ended, other))
        case ["nests", other]:
            async with asyncio.TaskGroup() as inner:
                inner.create_task(work(inner, ended, other))
    ended.append(name)
# ANCHOR_END: work


async def outcome(clock, case):
    body, *tasks = case.split(", ")
    ended, text = [], ""
    try:
        async with asyncio.TaskGroup() as group:
            cancelled = []
            for task in tasks:
                handle = group.create_task(work(group, ended, task))
                if task.endswith("cancelled"):
                    cancelled.append(handle)
            await work(group, ended, body)
            for handle in cancelled:
                handle.cancel()
    except ExceptionGroup as failed:
        text = repr(failed)
    assert len(asyncio.all_tasks()) == 1
    failed = [
        task for tasks in case.split(", ")
        for task in [tasks.split(" nests ")[-1].split(" spawns ")[-1]]
        if repr(task) in text
    ]
    failed = " ".join(task.split()[0] for task in failed)
    ended = " ".join(ended)
    return f"{case}: {clock.now}s, ended: [{ended}], failed: [{failed}]"


for line in CASES.splitlines():
    clock = Clock()
    loop = asyncio.SelectorEventLoop(clock)
    loop.time = lambda: clock.now
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        assert line == runner.run(outcome(clock, line.split(": ")[0])), line
