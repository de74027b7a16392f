import asyncio

import httpx
import uvicorn
from fastapi import BackgroundTasks, FastAPI

app = FastAPI()
started, notified = [], []


async def notify(parcel):
    started.append(parcel)
    if parcel == 13:
        raise LookupError("it has no customer")
    await app.state.carrier.wait()
    notified.append(parcel)


async def store(parcel):
    notified.append(-parcel)


# ANCHOR: tasks
@app.post("/parcels/{parcel}/scans", status_code=202)
async def scan(parcel: int, tasks: BackgroundTasks):
    tasks.add_task(notify, parcel)
    tasks.add_task(store, parcel)  # does not run if `notify` raises
# ANCHOR_END: tasks


async def changes(client, server, serving):
    # The first task raises: the client has a 202, and the second task does
    # not run.
    response = await client.post("/parcels/13/scans")
    assert response.status_code == 202 and started == [13] and not notified

    # The server waits for them when it stops, without a limit by default.
    response = await client.post("/parcels/7/scans")
    assert response.status_code == 202
    server.should_exit = True
    await asyncio.wait([serving], timeout=0.3)
    assert not serving.done() and not notified
    app.state.carrier.set()
    await serving
    assert notified == [7, -7]


# ANCHOR: end
async def task(ended):
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)  # any await
        ended.append("cleaned up")


async def forgets_its_task(ended):
    ended.append(asyncio.create_task(task(ended)))
    await asyncio.sleep(0)  # so that the task starts


def at_the_end():
    ended = []
    asyncio.run(forgets_its_task(ended))
    assert ended[0].cancelled() and ended[1] == "cleaned up"
# ANCHOR_END: end


async def main():
    app.state.carrier = asyncio.Event()
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    async with asyncio.timeout(30), httpx.AsyncClient(base_url=url) as client:
        await changes(client, server, serving)


at_the_end()
asyncio.run(main())
