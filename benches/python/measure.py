"""What the programs here share: they include the programs of the book's pages,
choose an event loop, measure themselves, and print one line of JSON."""

import asyncio
import json
import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import uvloop

LOOP, WAY, ARGUMENT, DATA = sys.argv[1:]
# A rough run does a tenth of the work, to see that it works.
SHARE = 10 if "ROUGH" in os.environ else 1
SNIPPETS = Path(__file__).resolve().parents[2] / "snippets"


def page(path):
    """The program of a page, as a module. Its own `main` does not run."""
    spec = spec_from_file_location(f"page_{Path(path).stem}", SNIPPETS / path)
    module = sys.modules[spec.name] = module_from_spec(spec)
    run, asyncio.run = asyncio.run, lambda main: main.close()
    try:
        spec.loader.exec_module(module)
    finally:
        asyncio.run = run
    return module


def peak(process="self"):
    """The most memory that a process has had so far, in bytes."""
    return bytes_in(f"/proc/{process}/status", "VmHWM:")


def share(process="self"):
    """The memory of a process in bytes, with its share of what processes have
    in common."""
    return bytes_in(f"/proc/{process}/smaps_rollup", "Pss:")


def bytes_in(file, name):
    """The bytes behind a name in a file that has a line for each name:
    `VmHWM:    2048 kB`."""
    with open(file) as lines:
        for line in lines:
            if line.startswith(name):
                return int(line.split()[1]) * 1024


def run(main):
    factory = {"asyncio": None, "uvloop": uvloop.new_event_loop}[LOOP]
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


def beyond(before, children=()):
    """The peaks of this process and of its children, in bytes, each less what
    this process had before."""
    return sum(peak(process) - before for process in ("self", *children))


def tell(seconds, work, memory):
    cost = {"seconds": seconds, "work": work, "memory": memory}
    print(json.dumps(cost), flush=True)


def measure(work, count, children=()):
    """Runs `work` to warm up, and then to measure it. `work(count)` does the
    work once, asserts its result, and returns the seconds that it took."""

    count //= SHARE

    async def main():
        before = peak()
        await work(count // 10)  # to warm up
        seconds = await work(count)
        tell(seconds, count, beyond(before, children))

    run(main())
