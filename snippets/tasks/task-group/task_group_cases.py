# ANCHOR: cases
import asyncio
import selectors

# The Rust program prints the same ten lines.
CASES = """\
base 0, jay 1, owl 2 → 2s, there: [base jay owl], failed: []
base 3, jay 1, owl 2 → 3s, there: [jay owl base], failed: []
base 0, jay 1 lost, owl 2 → 1s, there: [base], failed: [jay]
base 0, jay 1, owl 2 lost, tit 3 → 2s, there: [base jay], failed: [owl]
base 0, jay 1 lost, owl 1 lost → 1s, there: [base], failed: [jay owl]
base 0, jay 1 bug, owl 2 → 1s, there: [base], failed: [jay]
base 0, jay 1 bug, owl 1 lost, tit 1 → 1s, there: [base tit], failed: [jay owl]
base 3, jay 1 lost → 1s, there: [], failed: [jay]
base 1 lost, jay 2 → 1s, there: [], failed: [base]
base 1 lost, jay 1 lost → 1s, there: [], failed: [base]
"""


class Clock(selectors.DefaultSelector):
    """Jumps to the next timer, as tokio's paused clock does."""

    now = 0

    def select(self, timeout=None):
        self.now += timeout or 0
        return super().select(0)


async def climb(there, party):
    name, seconds, *_ = party.split()
    await asyncio.sleep(int(seconds))
    assert not party.endswith("bug"), party
    if party.endswith("lost"):
        raise LookupError(party)
    there.append(name)


async def run(clock, case):
    base, *parties = case.split(", ")
    there, text = [], ""
    try:
        async with asyncio.TaskGroup() as group:
            for party in parties:
                group.create_task(climb(there, party))
            await climb(there, base)
    except ExceptionGroup as failed:
        text = repr(failed)
    failed = [party for party in [base, *parties] if party in text]
    failed = " ".join(party.split()[0] for party in failed)
    assert len(asyncio.all_tasks()) == 1
    there = " ".join(there)
    return f"{case} → {clock.now}s, there: [{there}], failed: [{failed}]"


for line in CASES.splitlines():
    clock = Clock()
    loop = asyncio.SelectorEventLoop(clock)
    loop.time = lambda: clock.now
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        assert line == runner.run(run(clock, line.split(" → ")[0]))
# ANCHOR_END: cases
