import asyncio


# ANCHOR: changes
class Cloakroom:
    def __init__(self):
        self.requests = asyncio.Queue(8)

    async def ask(self, coat):
        answer = asyncio.get_running_loop().create_future()
        await self.requests.put((coat, answer))
        return await answer

    async def attend(self):
        while True:
            coat, answer = await self.requests.get()
            if coat == "a swan":
                raise ValueError("it bites")
            await asyncio.sleep(0.002)
            answer.set_result(coat)


async def waits_for_ever(asking):
    try:
        await asyncio.wait_for(asking, 0.01)
    except TimeoutError:
        return True
    return False


async def main():
    # Dead, and nobody tells those who wait, nor those who come later.
    room = Cloakroom()
    attendant = asyncio.create_task(room.attend())
    assert await waits_for_ever(room.ask("a swan"))
    assert isinstance(attendant.exception(), ValueError)
    assert await waits_for_ever(room.ask("a fur"))

    # Who gives up cancels the answer, and setting it kills the attendant.
    room = Cloakroom()
    attendant = asyncio.create_task(room.attend())
    try:
        await asyncio.wait_for(room.ask("a fur"), 0.001)
        raise AssertionError("it takes twice as long")
    except TimeoutError:
        pass
    await asyncio.wait([attendant])
    assert isinstance(attendant.exception(), asyncio.InvalidStateError)
    gone = asyncio.get_running_loop().create_future()
    gone.cancel()
    assert gone.done()  # what he should ask first

    # Nobody has a handle any more. It waits all the same.
    room = Cloakroom()
    attendant = asyncio.create_task(room.attend())
    del room
    assert await waits_for_ever(asyncio.shield(attendant))
    attendant.cancel()
# ANCHOR_END: changes


asyncio.run(main())
