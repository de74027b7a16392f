import asyncio


# ANCHOR: all
# ANCHOR: encode
async def encode(telegram):
    await asyncio.sleep(0.02)
    return telegram
# ANCHOR_END: encode


async def relay(wire, line, questions):
    async def pass_one():
        # ANCHOR: take
        telegram = await wire.get()
        # ANCHOR_END: take
        if telegram is None:
            return False
        # ANCHOR: pass
        await line.put(await encode(telegram))
        # ANCHOR_END: pass
        return True

    # ANCHOR: state
    passed = 0
    question = asyncio.create_task(questions.get())
    passing = asyncio.create_task(pass_one())
    # ANCHOR_END: state
    while True:
        await asyncio.wait(
            [question, passing], return_when=asyncio.FIRST_COMPLETED
        )
        # ANCHOR: question
        if question.done():
            question.result().set_result(passed)
            question = asyncio.create_task(questions.get())
        # ANCHOR_END: question
        if passing.done():
            if not passing.result():
                question.cancel()
                return passed
            passed += 1
            passing = asyncio.create_task(pass_one())
# ANCHOR_END: all


async def main():
    wire, questions = asyncio.Queue(), asyncio.Queue(1)
    line = asyncio.Queue(1)
    working = asyncio.create_task(relay(wire, line, questions))
    for telegram in [1, 2, 3, 4, None]:
        wire.put_nowait(telegram)

    tape, answers = [], []
    for _ in range(4):
        answer = asyncio.get_running_loop().create_future()
        await questions.put(answer)
        answers.append(await answer)
        tape.append(await line.get())
    assert await working == 4
    assert tape == [1, 2, 3, 4]
    assert answers == sorted(answers) and answers[0] == 0


asyncio.run(main())
