# ANCHOR: all
import asyncio
import random


# ANCHOR: errors
class Engaged(Exception):
    pass
# ANCHOR_END: errors


async def ask(surgery, deadline, rng=random):  # in a test: Random(7)
    # ANCHOR: pauses
    now, pause = asyncio.get_running_loop().time, 0.001
    # ANCHOR_END: pauses
    for attempt in range(4):
        try:
            # ANCHOR: attempt
            async with asyncio.timeout_at(deadline):
                return await surgery.call()
            # ANCHOR_END: attempt
        except Engaged:
            # ANCHOR: adjust
            jittered = pause * (1 + rng.random())
            if attempt == 3 or now() + jittered >= deadline:
                raise
            # ANCHOR_END: adjust
        await asyncio.sleep(jittered)
        pause *= 2
# ANCHOR_END: all


class Surgery:
    def __init__(self, *script):
        self.script, self.calls = list(script), []

    async def call(self):
        self.calls.append(asyncio.get_running_loop().time())
        answer = self.script[min(len(self.calls), len(self.script)) - 1]
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        return answer


async def main():
    now = asyncio.get_running_loop().time

    surgery = Surgery(Engaged(), Engaged(), "at ten")
    assert await ask(surgery, now() + 10, random.Random(7)) == "at ten"
    first, second, third = surgery.calls
    seeded = random.Random(7)
    assert second - first >= 0.001 * (1 + seeded.random())
    assert third - second >= 0.002 * (1 + seeded.random())

    # It has tried four times, and gives up.
    surgery = Surgery(Engaged())
    try:
        await ask(surgery, now() + 10, random.Random(7))
        raise AssertionError("it is engaged")
    except Engaged:
        assert len(surgery.calls) == 4

    # There is no time for a pause.
    surgery = Surgery(Engaged())
    try:
        await ask(surgery, now() + 0.0005, random.Random(7))
        raise AssertionError("it is engaged")
    except Engaged:
        assert len(surgery.calls) == 1

    # What is not expected is not tried again.
    surgery = Surgery(LookupError("no such patient"))
    try:
        await ask(surgery, now() + 10, random.Random(7))
        raise AssertionError("there is no such patient")
    except LookupError:
        assert len(surgery.calls) == 1

    # Nobody answers until the time is up.
    surgery = Surgery(None)
    try:
        await ask(surgery, now() + 0.01, random.Random(7))
        raise AssertionError("nobody answers")
    except TimeoutError:
        assert len(surgery.calls) == 1


asyncio.run(main())
