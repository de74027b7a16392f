import asyncio

import httpx
import uvicorn
from fastapi import BackgroundTasks, FastAPI

app = FastAPI()
started = []
printed = []


async def print_photo(id):
    started.append(id)
    if id == 8:
        raise ValueError("no photo in this file")
    await app.state.paper.wait()
    printed.append(id)


# ANCHOR: recipe
@app.post("/photos/{id}/recipe")
async def recipe(id: int):
    """Async endpoint with background processing"""
    return {"result": await print_photo(id)}


async def waits(client):
    request = asyncio.create_task(client.post("/photos/1/recipe"))
    await until(lambda: 1 in started)
    assert not request.done() and not printed
    app.state.paper.set()
    assert (await request).status_code == 200 and printed == [1]
# ANCHOR_END: recipe


@app.post("/photos/{id}", status_code=202)
async def upload(id: int, tasks: BackgroundTasks):
    tasks.add_task(print_photo, id)


# ANCHOR: changes
async def changes(client, connections):
    # A background task that raises: the client was told 202 before.
    answer = await client.post("/photos/8")
    assert answer.status_code == 202 and 8 not in printed

    # The customer hangs up: the handler runs on.
    app.state.paper.clear()
    request = asyncio.create_task(client.post("/photos/2/recipe"))
    await until(lambda: 2 in started)
    request.cancel()
    await until(lambda: not connections)
    app.state.paper.set()
    await until(lambda: 2 in printed)

    # `asyncio.run` cancels a task that nobody waits for.
    assert 3 in started and 3 not in printed
# ANCHOR_END: changes


async def forgotten():
    app.state.paper = asyncio.Event()
    task = asyncio.create_task(print_photo(3))
    await until(lambda: 3 in started)
    assert not task.done()


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


async def main():
    app.state.paper = asyncio.Event()
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=url) as client:
        await waits(client)
        await changes(client, server.server_state.connections)
    server.should_exit = True
    await serving


asyncio.run(forgotten())
asyncio.run(main())
