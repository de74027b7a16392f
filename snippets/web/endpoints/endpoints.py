# ANCHOR: keep
import asyncio
import logging

import httpx
from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel

log = logging.getLogger(__name__)
router = APIRouter()
TOTAL = 3  # seconds, the limit of a request to the carrier


# ANCHOR: upstream
def failed(cause):
    """The carrier has failed, not the client."""
    slow = isinstance(cause, TimeoutError | httpx.TimeoutException)
    status, detail = 504 if slow else 502, "the carrier has failed"
    if isinstance(cause, httpx.HTTPStatusError):
        cause = cause.response  # the text of the error has the URL
    log.error("%d: %s: %r", status, detail, cause)
    return HTTPException(status, detail)
# ANCHOR_END: upstream


class Parcel(BaseModel):
    city: str
    status: str


# ANCHOR: fetch
async def fetch(client, url, model):
    """The JSON of a response, if it is not too long."""
    body = b""
    # httpx has limits for each read, and none for all of them.
    async with asyncio.timeout(TOTAL), client.stream("GET", url) as response:
        response.raise_for_status()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > 64 * 1024:
                raise ValueError("the response is too long")
    return model.model_validate_json(body)
# ANCHOR_END: fetch


# ANCHOR: handler
@router.get("/parcels/{id}")
async def parcel(id: int, request: Request) -> Parcel:
    state = request.app.state
    try:
        url = f"{state.carrier}/parcels/{id}"
        return await fetch(state.client, url, Parcel)
    except (httpx.HTTPError, TimeoutError, ValueError) as error:
        response = getattr(error, "response", None)
        if response is not None and response.status_code == 404:
            raise HTTPException(404, "no such parcel") from error
        raise failed(error) from error
# ANCHOR_END: handler
# ANCHOR_END: keep


# ANCHOR: call
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse

SHUTDOWN = 8  # seconds


async def crashed(request, error):
    # uvicorn logs the traceback.
    return JSONResponse({"detail": "Internal Server Error"}, 500)


def create_app(carrier):
    @asynccontextmanager
    async def lifespan(app):
        timeout = httpx.Timeout(2, connect=1)
        async with httpx.AsyncClient(timeout=timeout) as client:
            app.state.client, app.state.carrier = client, carrier
            yield

    app = FastAPI(lifespan=lifespan)
    app.include_router(router)
    app.add_exception_handler(Exception, crashed)
    return app


def create_server(carrier, **address):
    app = create_app(carrier)
    config = uvicorn.Config(app, timeout_graceful_shutdown=SHUTDOWN, **address)
    return uvicorn.Server(config)
# ANCHOR_END: call


# A carrier that fails on purpose, and what must come of it. The limits are
# shorter than they would be.
import socket

BODY = '{"city":"Ghent","status":"in transit"}'
# What the Rust program prints for the same requests.
CASES = """\
known: 200 {"city":"Ghent","status":"in transit"}
in pieces: 200 {"city":"Ghent","status":"in transit"}
unknown: 404 {"detail":"no such parcel"}
unauthorized: 502 {"detail":"the carrier has failed"}
overloaded: 502 {"detail":"the carrier has failed"}
failing: 502 {"detail":"the carrier has failed"}
malformed: 502 {"detail":"the carrier has failed"}
HTML: 502 {"detail":"the carrier has failed"}
another object: 502 {"detail":"the carrier has failed"}
not gzip: 502 {"detail":"the carrier has failed"}
too long: 502 {"detail":"the carrier has failed"}
cut: 502 {"detail":"the carrier has failed"}
half-closed: 502 {"detail":"the carrier has failed"}
closed: 502 {"detail":"the carrier has failed"}
reset: 502 {"detail":"the carrier has failed"}
silent: 504 {"detail":"the carrier has failed"}
stalled: 504 {"detail":"the carrier has failed"}
drips: 504 {"detail":"the carrier has failed"}
refused: 502 {"detail":"the carrier has failed"}
unreachable: 504 {"detail":"the carrier has failed"}
route: 404 {"detail":"Not Found"}
method: 405 {"detail":"Method Not Allowed"}
panics: 500 {"detail":"Internal Server Error"}
drips twice: 504 {"detail":"the carrier has failed"}
"""
NAMES = [line.split(":")[0] for line in CASES.splitlines()][:20]
SCALE = 0.1


def response(status, body):
    head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n"
    return (head + f"connection: close\r\n\r\n{body}").encode()


async def answer(reader, writer):
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        case = NAMES[int(head.split()[1].split(b"/")[-1])]
        known = response("200 OK", BODY)
        first, second = known[:-10], known[-10:]
        writer.write({
            "unknown": response("404 N", BODY),
            "unauthorized": response("401 U", BODY),
            "overloaded": response("429 T", BODY),
            "failing": response("503 S", BODY),
            "malformed": BODY.encode() + b"\r\n\r\n",
            "HTML": response("200 OK", "<h1>Ghent</h1>"),
            "another object": response("200 OK", '{"city":"Ghent"}'),
            "not gzip": response("200 OK\r\ncontent-encoding: gzip", "gzip"),
            "too long": response("200 OK", 65000 * " " + BODY + 1000 * " "),
            "in pieces": first, "cut": first, "half-closed": first,
            "stalled": first, "drips": first,
            "closed": b"", "silent": b"", "reset": b"",
        }.get(case, known))
        match case:
            case "in pieces":
                await asyncio.sleep(SCALE / 2)
                writer.write(second)
            case "half-closed":
                writer.write_eof()
            case "cut" | "closed":
                return writer.close()
            case "reset":
                return writer.transport.abort()
            case "drips":
                while not writer.is_closing():
                    await asyncio.sleep(SCALE * 0.9)
                    writer.write(b" ")
        await reader.read()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # the client has left
    writer.close()


@router.get("/panics")
async def panics():
    raise KeyError("a bug")


@router.post("/orders")
async def orders(request: Request):
    await request.body()


@router.get("/hangs")
async def hangs():
    await asyncio.Event().wait()


@router.get("/twice")
async def twice(request: Request) -> Parcel:
    state = request.app.state
    url = f"{state.carrier}/parcels/{NAMES.index('drips')}"
    try:
        await fetch(state.client, url, Parcel)
    except TimeoutError:
        pass
    try:
        return await fetch(state.client, url, Parcel)
    except TimeoutError as error:
        raise failed(error) from error


async def unreachable():
    """An address on which connections are not accepted."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1)
    waiting = []
    while True:
        try:
            async with asyncio.timeout(SCALE):
                address = listener.getsockname()
                waiting.append(await asyncio.open_connection(*address))
        except TimeoutError:
            return listener, waiting


def url_of(sock):
    host, port = sock.getsockname()
    return f"http://{host}:{port}"


async def main():
    global TOTAL
    TOTAL *= SCALE
    records = []
    log.propagate = False
    log.addHandler(handler := logging.Handler())
    handler.emit = records.append

    carrier = await asyncio.start_server(answer, "127.0.0.1", 0)
    server = create_server(
        url_of(carrier.sockets[0]),
        host="127.0.0.1", port=0, log_level="critical",
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    url = url_of(server.servers[0].sockets[0])
    state = server.config.app.state
    assert state.client.timeout == httpx.Timeout(2, connect=1)
    state.client.timeout = httpx.Timeout(2 * SCALE, connect=1 * SCALE)

    refusing = socket.socket()
    refusing.bind(("127.0.0.1", 0))
    listener, waiting = await unreachable()
    carriers = {"refused": refusing, "unreachable": listener}
    async with httpx.AsyncClient() as client:
        lines = []
        for id, case in enumerate(NAMES):
            state.carrier = url_of(carriers.get(case, carrier.sockets[0]))
            got = await client.get(f"{url}/parcels/{id}")
            lines.append(f"{case}: {got.status_code} {got.text}\n")
        state.carrier = url_of(carrier.sockets[0])
        for case, method, path in [
            ("route", "GET", "x"),
            ("method", "PUT", "panics"),
            ("panics", "GET", "panics"),
            ("drips twice", "GET", "twice"),
        ]:
            got = await client.request(method, f"{url}/{path}")
            lines.append(f"{case}: {got.status_code} {got.text}\n")
        assert "".join(lines) == CASES, lines

    # The log has the causes of what has failed, and only of that.
    texts = [record.getMessage() for record in records]
    assert len(texts) == CASES.count(" 502 ") + CASES.count(" 504 ")
    for cause in ["<Response [401 U]>", "DecodingError", "ReadTimeout"]:
        assert any(cause in text for text in texts), texts
    assert not any("127.0.0.1" in text for text in texts), texts

    # A handler that hangs, and half a body, have no limit until the end.
    half, half_writer = await asyncio.open_connection(*url[7:].split(":"))
    head = b"POST /orders HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n"
    half_writer.write(head + b"half")
    reader, writer = await asyncio.open_connection(*url[7:].split(":"))
    writer.write(b"GET /hangs HTTP/1.1\r\nhost: a\r\n\r\n")
    await asyncio.sleep(SCALE * 10)
    assert not half.at_eof() and not half._buffer and not reader._buffer
    assert server.config.timeout_graceful_shutdown == SHUTDOWN
    server.config.timeout_graceful_shutdown *= SCALE / 10
    server.should_exit = True
    async with asyncio.timeout(5):
        await serving
    assert (await reader.read()).startswith(b"HTTP/1.1 500 ")
    writer.close()
    half_writer.close()
    carrier.close()

    for _, writer in waiting:
        writer.close()
    listener.close()
    refusing.close()


asyncio.run(main())
