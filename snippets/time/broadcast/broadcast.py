import asyncio


# ANCHOR: all
class Speaker:
    def __init__(self):
        self.listeners = set()

    # ANCHOR: send
    def call(self, number):
        for queue in self.listeners:
            if queue.full():
                queue.get_nowait()  # the oldest, and nobody is told
            queue.put_nowait(number)
    # ANCHOR_END: send

    # ANCHOR: hear
    async def hear(self, heard, pace):
        queue = asyncio.Queue(4)
        self.listeners.add(queue)
        try:
            while (number := await queue.get()) is not None:
                heard.append(number)
                await asyncio.sleep(pace)
        finally:
            self.listeners.remove(queue)
    # ANCHOR_END: hear


class Board:
    def __init__(self):
        self.number, self.changed = 0, asyncio.Condition()

    async def write(self, number):
        async with self.changed:
            self.number = number
            self.changed.notify_all()

    # ANCHOR: look
    async def look(self, seen, pace):
        last = self.number
        while last is not None:
            async with self.changed:
                await self.changed.wait_for(lambda: self.number != last)
                last = self.number
            seen.append(last)
            await asyncio.sleep(pace)
    # ANCHOR_END: look
# ANCHOR_END: all


async def main():
    speaker, board = Speaker(), Board()
    quick, slow, seen = [], [], []
    tasks = [
        asyncio.create_task(speaker.hear(quick, 0)),
        asyncio.create_task(speaker.hear(slow, 0.03)),
        asyncio.create_task(board.look(seen, 0.03)),
    ]
    await asyncio.sleep(0)
    for number in [*range(1, 13), None]:
        await asyncio.sleep(0.01)
        speaker.call(number)
        await board.write(number)
    await asyncio.wait(tasks)
    assert quick == list(range(1, 13))
    assert slow == sorted(slow) and 1 <= len(slow) < 12
    assert seen[-1] is None and len(seen) < 13
    assert not speaker.listeners


asyncio.run(main())
