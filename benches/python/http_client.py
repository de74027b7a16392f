import asyncio
from dataclasses import dataclass
from time import perf_counter

import aiohttp

from measure import ARGUMENTS, measure

COURIER = ARGUMENTS[0]


@dataclass
class Parcel:
    id: int
    city: str
    delivered: bool


async def fetch_parcel(session, courier, id):
    async with session.get(f"{courier}/parcels/{id}") as response:
        response.raise_for_status()
        return Parcel(**await response.json())


async def work(count):
    timeout = aiohttp.ClientTimeout(total=10, sock_connect=2)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        await fetch_parcel(session, COURIER, 0)
        ids, total = iter(range(count)), 0

        async def worker():
            nonlocal total
            for id in ids:
                parcel = await fetch_parcel(session, COURIER, id)
                total += parcel.id

        start = perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(64):
                group.create_task(worker())
        seconds = perf_counter() - start
    assert total == count * (count - 1) // 2
    return seconds


measure(work, 20_000)
