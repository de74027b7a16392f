# ANCHOR: all
import asyncio
import itertools


# ANCHOR: enter
def enter(room, number, urgency, patient):
    room.put_nowait((urgency, next(number), patient))
# ANCHOR_END: enter


# ANCHOR: vet
async def treat_all(room, treated):
    while True:
        _, _, patient = await room.get()
        treated.append(patient)
        await asyncio.sleep(0)
        room.task_done()
# ANCHOR_END: vet


async def main():
    # ANCHOR: waiting
    room, number = asyncio.PriorityQueue(), itertools.count()
    # ANCHOR_END: waiting
    treated = []
    vet = asyncio.create_task(treat_all(room, treated))
    # ANCHOR: patients
    enter(room, number, 3, "cat")
    await asyncio.sleep(0)
    for urgency, patient in [(2, "dog"), (2, "parrot"), (1, "snake")]:
        enter(room, number, urgency, patient)
    # ANCHOR_END: patients
    await room.join()
    vet.cancel()
    assert treated == ["cat", "snake", "dog", "parrot"]
# ANCHOR_END: all


asyncio.run(main())
