import asyncio
import logging
import time

lines = []


class Handler(logging.Handler):
    def emit(self, record):
        lines.append(record.getMessage())


logging.getLogger("asyncio").addHandler(Handler())
logging.getLogger("asyncio").propagate = False


# ANCHOR: changes
async def render():
    time.sleep(0.15)
    return list(lines)  # what is logged up to here


async def main():
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    assert loop.slow_callback_duration == 0.1  # seconds, the default
    logged = await asyncio.create_task(render(), name="render")
    await asyncio.sleep(0)

    # Debug mode names the task after its step, not before.
    start = "Executing <Task finished name='render'"
    assert not any(line.startswith(start) for line in logged)
    assert any(line.startswith(start) for line in lines)
# ANCHOR_END: changes


asyncio.run(main())
