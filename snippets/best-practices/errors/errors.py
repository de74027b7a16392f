# ANCHOR: keep
import asyncio

MAX_RESPONSE = 64


# ANCHOR: error
class QuoteError(Exception):
    """Why there is no response: a class for each thing to do about it."""


class Connect(QuoteError):
    """Nothing was sent."""


class Lost(QuoteError):
    """The connection has failed."""


class Timeout(QuoteError):
    """There was no response in time."""


class TooLong(QuoteError):
    """The response has more than MAX_RESPONSE bytes."""


class Malformed(QuoteError):
    """The response is not a price."""
# ANCHOR_END: error


# ANCHOR: quote
async def quote(carrier, grams, limit):
    try:
        async with asyncio.timeout(limit):
            line = await ask(carrier, grams)
    except TimeoutError as error:
        raise Timeout(limit) from error
    try:
        return parse(line)
    except ValueError as error:
        raise Malformed(line) from error
# ANCHOR_END: quote


# ANCHOR: ask
async def ask(carrier, grams):
    try:
        reader, writer = await asyncio.open_connection(
            *carrier, limit=MAX_RESPONSE - 1  # without the end of the line
        )
    except (OSError, UnicodeError) as error:
        raise Connect(carrier) from error
    try:
        writer.write(f"{grams}\n".encode())
        return await reader.readuntil(b"\n")
    except asyncio.LimitOverrunError as error:
        raise TooLong(MAX_RESPONSE) from error
    except (OSError, asyncio.IncompleteReadError) as error:
        raise Lost(carrier) from error
    finally:
        writer.close()
# ANCHOR_END: ask


# ANCHOR: parse
def parse(line):
    text = line.decode().rstrip()
    if text == "none":
        return None
    if not (text.isascii() and text.isdigit()):  # int() accepts " -1_250"
        raise ValueError(text)
    return int(text)
# ANCHOR_END: parse
# ANCHOR_END: keep


# ANCHOR: call
async def next_step(carrier):
    try:
        cents = await quote(carrier, 500, limit=2)
    except Connect:
        return "ask another carrier"
    except (Lost, Timeout):  # a quote changes nothing
        return "ask again"
    except QuoteError:
        return "report it"
    return "ask another carrier" if cents is None else "buy the label"
# ANCHOR_END: call


# A carrier that fails on purpose, and what must come of it.
import socket
import struct
import time

LIMIT = 0.2
CASES = {
    "price": 1250,
    "in pieces": 1250,
    "longest": 1250,
    "none": None,
    "refused": Connect,
    "unknown host": Connect,
    "reset": Lost,
    "cut": Lost,
    "no response": Lost,
    "silent": Timeout,
    "trickling": Timeout,
    "too long": TooLong,
    "endless": TooLong,
    "not UTF-8": Malformed,
    "not a price": Malformed,
    "negative": Malformed,
    "other digits": Malformed,
    "two numbers": Malformed,
}
RESPONSES = {
    "price": b"1250\n",
    "in pieces": b"1250\n",
    "trickling": b"1250\n",
    "longest": b"%063d\n" % 1250,
    "too long": b"%064d\n" % 1250,
    "endless": b"0" * 20_000_000,
    "none": b"none\r\n",
    "cut": b"12",
    "not UTF-8": b"12\xff\n",
    "not a price": b"twelve\n",
    "negative": b"-1250\n",
    "other digits": "١٢\n".encode(),
    "two numbers": b"12\r50\n",
}


async def serve(case, reader, writer):
    """Answers one request. Returns when the client has closed."""
    assert await reader.readuntil(b"\n") == b"500\n"
    pause = {"in pieces": 0.01, "trickling": 0.2}.get(case)
    response = RESPONSES.get(case, b"")
    pieces = [response] if pause is None else [b"%c" % b for b in response]
    try:
        for piece in pieces:
            await asyncio.sleep(pause or 0)
            writer.write(piece)
            await writer.drain()
        if case == "reset":
            linger = struct.pack("ii", 1, 0)
            stream = writer.get_extra_info("socket")
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        elif case not in ("cut", "no response"):
            await reader.read()
            assert case != "endless"
    except ConnectionError:
        assert case in ("endless", "trickling")
    writer.close()


opened = []


async def open_and_keep(*args, **options):
    reader, writer = await open_connection(*args, **options)
    opened.append(writer)
    return reader, writer


open_connection = asyncio.open_connection
asyncio.open_connection = open_and_keep


async def main():
    for case, expected in CASES.items():
        ended = asyncio.get_running_loop().create_future()

        async def handle(reader, writer):
            try:
                ended.set_result(await serve(case, reader, writer))
            except AssertionError as error:
                ended.set_exception(error)

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        listens = case not in ("refused", "unknown host")
        if not listens:
            server.close()
        carrier = ("carrier..invalid", 4000) if "host" in case else address
        start = time.monotonic()
        try:
            limit = LIMIT if expected is Timeout else 60
            assert await quote(carrier, 500, limit) == expected, case
        except QuoteError as error:
            assert type(error) is expected, (case, error)
            assert error.__cause__ is not None
        waited = time.monotonic() - start >= LIMIT
        assert waited or expected is not Timeout
        if listens:
            assert opened.pop().is_closing()
            await ended
        server.close()


asyncio.run(main())
