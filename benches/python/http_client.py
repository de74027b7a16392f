import asyncio
from time import perf_counter

import aiohttp

from measure import DATA, measure, page

fetch_parcel = page("core-patterns/fetch-json/fetch_json.py").fetch_parcel


async def work(count):
    timeout = aiohttp.ClientTimeout(total=10, sock_connect=2)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        await fetch_parcel(session, DATA, 0)
        ids, total = iter(range(count)), 0

        async def worker():
            nonlocal total
            for id in ids:
                parcel = await fetch_parcel(session, DATA, id)
                total += parcel.id

        start = perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(64):
                group.create_task(worker())
        seconds = perf_counter() - start
    assert total == count * (count - 1) // 2
    return seconds


measure(work, 20_000)
