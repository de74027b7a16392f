import asyncio


# ANCHOR: all
async def sell(partners, deadline):
    now = asyncio.get_running_loop().time
    # ANCHOR: must
    async with asyncio.timeout_at(deadline):
        await partners.bank()
    given = ["paid"]
    # ANCHOR_END: must
    # ANCHOR: each
    for grower in partners.growers:
        if now() >= deadline:
            break
        try:
            async with asyncio.timeout_at(min(deadline, now() + 0.2)):
                await grower()
            given.append("roses")
            break
        except OSError:  # a TimeoutError is one, a ConnectionError too
            pass
    # ANCHOR_END: each
    # ANCHOR: rest
    if deadline - now() >= 0.1:
        try:
            async with asyncio.timeout_at(deadline):
                await partners.card()
            given.append("card")
        except OSError:
            pass
    # ANCHOR_END: rest
    return given
# ANCHOR_END: all


class Partners:
    def __init__(self, bank, *growers):
        self.bank, self.growers = bank, growers

    async def card(self):
        await asyncio.sleep(0)


async def quick():
    await asyncio.sleep(0)


async def refuses():
    raise ConnectionRefusedError("closed today")


async def never():
    await asyncio.Event().wait()


async def main():
    now = asyncio.get_running_loop().time

    given = await sell(Partners(quick, quick), now() + 0.5)
    assert given == ["paid", "roses", "card"]

    given = await sell(Partners(quick, refuses, quick), now() + 0.5)
    assert given == ["paid", "roses", "card"]

    start = now()
    given = await sell(Partners(quick, never, never), now() + 0.25)
    assert given == ["paid"] and 0.2 < now() - start

    try:
        await sell(Partners(never, never), now() + 0.05)
        raise AssertionError("the bank never answers")
    except TimeoutError:
        pass


asyncio.run(main())
