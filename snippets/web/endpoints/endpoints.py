# ANCHOR: keep
import asyncio
import logging

import httpx
from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel

log = logging.getLogger(__name__)
app = FastAPI()
TOTAL = 3  # seconds, the limit of a request to the carrier


# ANCHOR: upstream
def failed(cause):
    """The service behind this one has failed, not the client."""
    slow = isinstance(cause, TimeoutError | httpx.TimeoutException)
    status, detail = 504 if slow else 502, "the carrier has failed"
    log.error("%d: %s", status, detail, exc_info=cause)
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
@app.get("/parcels/{id}")
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


# A carrier that fails on purpose, and what must come of it. The limits are
# shorter than they would be.
import socket
from contextlib import asynccontextmanager

import uvicorn

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
"""
NAMES = [line.split(":")[0] for line in CASES.splitlines()]
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


# ANCHOR: call
@asynccontextmanager
async def lifespan(app):
    timeout = httpx.Timeout(2, connect=1)
    async with httpx.AsyncClient(timeout=timeout) as app.state.client:
        yield
# ANCHOR_END: call


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
    app.router.lifespan_context = lifespan
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    url = url_of(server.servers[0].sockets[0])
    app.state.client.timeout = httpx.Timeout(2 * SCALE, connect=1 * SCALE)

    refusing = socket.socket()
    refusing.bind(("127.0.0.1", 0))
    listener, waiting = await unreachable()
    carriers = {"refused": refusing, "unreachable": listener}
    async with httpx.AsyncClient() as client:
        lines = []
        for id, case in enumerate(NAMES):
            app.state.carrier = url_of(carriers.get(case, carrier.sockets[0]))
            got = await client.get(f"{url}/parcels/{id}")
            lines.append(f"{case}: {got.status_code} {got.text}\n")
        assert "".join(lines) == CASES, lines

    # The log has the causes of what has failed, and only of that.
    causes = [record.exc_info[0].__name__ for record in records]
    assert len(causes) == CASES.count(" 502 ") + CASES.count(" 504 ")
    assert {"DecodingError", "ReadTimeout", "ConnectTimeout"} < set(causes)

    for _, writer in waiting:
        writer.close()
    listener.close()
    refusing.close()
    server.should_exit = True
    await serving
    carrier.close()


asyncio.run(main())
