"""Prints its port, and serves until its standard input ends."""

import asyncio
import json
import os
import signal
import socket
import sys

import uvicorn
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from measure import LOOP, WAY, share


class Book(BaseModel):
    title: str
    copies: int


app = FastAPI()
BOOKS = {7: Book(title="Emma", copies=3)}


@app.get("/books/{id}")
async def book(id: int) -> Book:
    try:
        return BOOKS[id]
    except KeyError:
        raise HTTPException(404, "no such book") from None


def listen(port=0):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    # Each connection takes it over. On asyncio's loop, uvicorn sets it for the
    # sockets that it opens itself.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind(("127.0.0.1", port))
    return listener


def main():
    listener = listen()
    port = listener.getsockname()[1]
    # A process for each core. The kernel distributes the connections.
    others = os.cpu_count() - 1 if WAY == "processes" else 0
    children = []
    for _ in range(others):
        child = os.fork()
        if child == 0:
            listener.close()
            listener = listen(port)
            children = None
            break
        children.append(child)

    config = uvicorn.Config(
        app,
        http="httptools",
        loop=LOOP,
        log_level="warning",
        access_log=False,
    )
    server = uvicorn.Server(config)

    async def serve():
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        if children is None:
            return await serving
        print(json.dumps({"port": port}), flush=True)
        await asyncio.to_thread(sys.stdin.read)
        memory = sum(share(process) for process in ("self", *children))
        for child in children:
            os.kill(child, signal.SIGTERM)
            os.waitpid(child, 0)
        print(json.dumps({"memory": memory}), flush=True)
        os._exit(0)

    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(serve())


main()
