# ANCHOR: mended
import asyncio
import queue


# ANCHOR: heart
async def heart(load_balancer):
    while True:
        load_balancer.put("alive")
        await asyncio.sleep(0.01)
# ANCHOR_END: heart


# ANCHOR: scan
def scan(heartbeat, patience):
    """Holds its thread for ten beats, or until none comes."""
    beats = 0
    while beats < 10:
        try:
            heartbeat.get(timeout=patience)
        except queue.Empty:
            break
        beats += 1
    return beats
# ANCHOR_END: scan


async def main():
    # ANCHOR: start
    heartbeat = queue.Queue()
    task = asyncio.create_task(heart(heartbeat))
    await asyncio.sleep(0)
    heartbeat.get_nowait()  # alive
    # ANCHOR_END: start

    # ANCHOR: broken
    # Broken: scan() has the only thread. 20 beats were due.
    assert scan(heartbeat, patience=0.2) == 0
    # ANCHOR_END: broken

    # ANCHOR: fixed
    # Fixed.
    assert await asyncio.to_thread(scan, heartbeat, 30) == 10
    # ANCHOR_END: fixed
    task.cancel()
# ANCHOR_END: mended


asyncio.run(main())
