# ANCHOR: studio
import asyncio
from contextlib import asynccontextmanager

import httpx
import uvicorn
from fastapi import FastAPI

# ANCHOR: work
work = set()  # the loop itself keeps no task alive
printed = set()
# ANCHOR_END: work


# ANCHOR: wait
@asynccontextmanager
async def lifespan(app):
    yield
    if work:  # the server has stopped
        await asyncio.wait(work, timeout=30)
# ANCHOR_END: wait


# ANCHOR: app
app = FastAPI(lifespan=lifespan)
# ANCHOR_END: app


# ANCHOR: upload
@app.post("/photos/{id}", status_code=202)
async def upload(id: int):
    task = asyncio.create_task(print_photo(id))
    work.add(task)
    task.add_done_callback(work.discard)
# ANCHOR_END: upload


# ANCHOR: print
async def print_photo(id):
    await app.state.paper.wait()
    printed.add(id)
# ANCHOR_END: print
# ANCHOR_END: studio


async def main():
    app.state.paper = asyncio.Event()
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    port = server.servers[0].sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}/photos/7"
    async with httpx.AsyncClient() as client:
        answer = await client.post(url)
        assert answer.status_code == 202
        assert not printed and len(work) == 1
    server.should_exit = True
    while server.servers[0].is_serving():
        await asyncio.sleep(0)
    assert not serving.done()
    app.state.paper.set()
    await serving
    assert printed == {7}


asyncio.run(main())
