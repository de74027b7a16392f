"""What the programs here share: a loop, a clock, and one line of JSON."""

import asyncio
import json
import sys

import uvloop

LOOP, WAY, *ARGUMENTS = sys.argv[1:]


def peak(process="self"):
    """The most memory that a process has had, in bytes."""
    return bytes_in(f"/proc/{process}/status", "VmHWM:")


def share(process="self"):
    """Its memory, and its part of what processes share, in bytes."""
    return bytes_in(f"/proc/{process}/smaps_rollup", "Pss:")


def bytes_in(file, name):
    """A figure in kB of a file in which each has a line and a name."""
    with open(file) as lines:
        for line in lines:
            if line.startswith(name):
                return int(line.split()[1]) * 1024


def run(main):
    factory = {"asyncio": None, "uvloop": uvloop.new_event_loop}[LOOP]
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


def beyond(before, children=()):
    """Of this process and those that it has forked, in bytes."""
    return sum(peak(process) - before for process in ("self", *children))


def tell(seconds, work, memory):
    cost = {"seconds": seconds, "work": work, "memory": memory}
    print(json.dumps(cost), flush=True)


def measure(work, count, children=()):
    """`work(count)` does it once, asserts it, and says how long it took."""

    async def main():
        before = peak()
        await work(count // 10)  # to warm up
        seconds = await work(count)
        tell(seconds, count, beyond(before, children))

    run(main())
