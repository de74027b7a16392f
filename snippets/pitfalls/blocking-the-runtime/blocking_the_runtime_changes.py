import asyncio
import logging
import time

records = []


class Keep(logging.Handler):
    def emit(self, record):
        records.append(record.getMessage())


logging.getLogger("asyncio").addHandler(Keep())
logging.getLogger("asyncio").propagate = False


# ANCHOR: changes
async def scan_a_page():
    time.sleep(0.15)
    return list(records)  # what had been reported by then


async def main():
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0.1
    reported = await asyncio.create_task(scan_a_page(), name="scanner")
    await asyncio.sleep(0)

    # Debug mode names the task, once the page is through and not before.
    line = "Executing <Task finished name='scanner'"
    assert not any(r.startswith(line) for r in reported)
    assert any(r.startswith(line) for r in records)
# ANCHOR_END: changes


asyncio.run(main())
