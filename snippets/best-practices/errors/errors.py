# ANCHOR: packs
import asyncio


# ANCHOR: error
class DepotError(Exception):
    pass


class Unreachable(DepotError):
    pass


class Silent(DepotError):
    pass


class Nonsense(DepotError):
    pass
# ANCHOR_END: error


async def packs(depot, medicine, limit=60):
    # ANCHOR: silent
    try:
        async with asyncio.timeout(limit):
            answer = await call(depot, medicine)
    except TimeoutError as error:
        raise Silent(depot) from error
    # ANCHOR_END: silent
    # ANCHOR: answer
    try:
        return None if answer == "not kept" else int(answer)
    except ValueError as error:
        raise Nonsense(answer) from error
    # ANCHOR_END: answer


async def call(depot, medicine):
    # ANCHOR: connect
    try:
        reader, writer = await asyncio.open_connection(*depot)
    except OSError as error:
        raise Unreachable(depot) from error
    # ANCHOR_END: connect
    try:
        # ANCHOR: talk
        writer.write(medicine.encode())
        return (await reader.read()).decode()
        # ANCHOR_END: talk
    finally:
        writer.close()
# ANCHOR_END: packs


# ANCHOR: group
async def ask_all(calls):
    answers = await asyncio.gather(*calls, return_exceptions=True)
    errors = [a for a in answers if isinstance(a, DepotError)]
    if errors:
        raise ExceptionGroup("not every depot has answered", errors)
    return answers


async def ask_around(calls):
    to_do = []
    try:
        await ask_all(calls)
    except* Unreachable as group:
        to_do.append("ask the next depot")
        cause = group.exceptions[0].__cause__
        assert isinstance(cause, ConnectionRefusedError)
    except* Silent:
        to_do.append("ask again")
    except* DepotError:
        to_do.append("call them")
    assert to_do == ["ask the next depot", "ask again", "call them"]
# ANCHOR_END: group


async def main():
    plenty, kept, not_kept = [
        await asyncio.start_server(answering(answer), "127.0.0.1", 0)
        for answer in (b"plenty", b"40", b"not kept")
    ]
    address = kept.sockets[0].getsockname()
    assert await packs(address, "quinine") == 40
    assert await packs(not_kept.sockets[0].getsockname(), "quinine") is None

    deaf = await asyncio.start_server(answering(None), "127.0.0.1", 0)
    kept.close()
    await kept.wait_closed()
    calls = [
        packs(address, "quinine"),
        packs(deaf.sockets[0].getsockname(), "quinine", limit=0.05),
        packs(plenty.sockets[0].getsockname(), "quinine"),
    ]
    await ask_around(calls)
    for server in (plenty, not_kept, deaf):
        server.close()
        await server.wait_closed()


def answering(answer):
    async def serve(reader, writer):
        await reader.read(64)
        if answer is None:
            await reader.read()
        else:
            writer.write(answer)
        writer.close()

    return serve


asyncio.run(main())
