# ANCHOR: cloakroom
import asyncio


class Cloakroom:
    def __init__(self):
        self.requests = asyncio.Queue(8)

    # ANCHOR: ask
    async def ask(self, *request):
        answer = asyncio.get_running_loop().create_future()
        await self.requests.put((*request, answer))
        return await answer
    # ANCHOR_END: ask

    # ANCHOR: attend
    async def attend(self):
        rail, last = {}, 0
        while request := await self.requests.get():
            what, it, answer = request
            await asyncio.sleep(0.001)  # to the rail and back
            if what == "leave":
                last += 1
                rail[last] = it
                answer.set_result(last)
            else:
                answer.set_result(rail.pop(it, None))
        return rail
    # ANCHOR_END: attend


async def main():
    # ANCHOR: open
    room = Cloakroom()
    attendant = asyncio.create_task(room.attend())
    # ANCHOR_END: open
    # ANCHOR: guests
    coats = ("a fur", "a cape", "a mac")
    left = [room.ask("leave", coat) for coat in coats]
    assert await asyncio.gather(*left) == [1, 2, 3]
    assert await room.ask("fetch", 2) == "a cape"
    # ANCHOR_END: guests
    # ANCHOR: close
    await room.requests.put(None)  # somebody has to say that it is the end
    assert await attendant == {1: "a fur", 3: "a mac"}
    # ANCHOR_END: close
# ANCHOR_END: cloakroom


asyncio.run(main())
