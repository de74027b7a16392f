# ANCHOR: keep
import asyncio
import logging
import sys
import threading
import traceback

log = logging.getLogger(__name__)

# ANCHOR: looks
# The loop is blocked if so many looks in a row find it unchanged.
LOOKS = 4
# ANCHOR_END: looks


# ANCHOR: detect
def detect(threshold):
    """Logs the running loop when it is blocked for the threshold, and its task,
    and again when the time has doubled. Ends when the event is set."""
    stop = threading.Event()
    # ANCHOR_END: detect
    loop = asyncio.get_running_loop()
    thread = threading.get_ident()

    def run():
        turn = threading.Event()
        turn.set()
        # ANCHOR: look
        while not stop.wait(threshold / LOOKS):
            looks = 0 if turn.is_set() else looks + 1
            if looks == 0:
                turn.clear()
                loop.call_soon_threadsafe(turn.set)
            # ANCHOR_END: look
            # ANCHOR: report
            if looks >= LOOKS and looks.bit_count() == 1:
                task = asyncio.current_task(loop)
                name = task.get_name() if task else "unknown"
                blocked = threshold / LOOKS * looks
                stack = traceback.format_stack(sys._current_frames()[thread])
                log.warning(
                    "loop is blocked task=%s blocked=%s\n%s",
                    name, blocked, "".join(stack),
                )
            # ANCHOR_END: report

    threading.Thread(target=run, daemon=True).start()
    return stop
# ANCHOR_END: keep


# What is logged, and what is not.
import queue

THRESHOLD = 0.1

lines = queue.Queue()


class Handler(logging.Handler):
    def emit(self, record):
        lines.put(record.getMessage())


log.addHandler(Handler())
log.propagate = False


def block():
    """Blocks its thread until that is logged. Returns the line."""
    return lines.get(timeout=30)


def block_unseen():
    """Blocks its thread, and nothing is logged."""
    try:
        raise AssertionError(lines.get(timeout=3 * THRESHOLD))
    except queue.Empty:
        pass


async def render():
    await asyncio.sleep(0.001)
    return block()


async def main():
    # ANCHOR: call
    stop = detect(THRESHOLD)
    task = asyncio.create_task(render(), name="render")
    # ANCHOR_END: call
    line = await task
    assert line.startswith("loop is blocked task=render blocked=0.1\n")
    assert "lines.get(timeout=30)" in line, "the stack has what blocks"

    async def twice():
        await asyncio.sleep(0.001)
        return block(), block()

    _, line = await asyncio.create_task(twice(), name="render")
    assert line.startswith("loop is blocked task=render blocked=0.2\n")

    called = []
    asyncio.get_running_loop().call_soon(lambda: called.append(block()))
    await asyncio.sleep(0.001)
    start = "loop is blocked task=unknown blocked=0.1\n"
    assert called[0].startswith(start)

    await asyncio.to_thread(block_unseen)
    end = asyncio.get_running_loop().time() + 3 * THRESHOLD
    while asyncio.get_running_loop().time() < end:
        await asyncio.sleep(0)
    assert lines.empty()

    stop.set()
    block_unseen()


asyncio.run(main())
