import asyncio
import os
from contextlib import aclosing
from time import perf_counter

from measure import DATA, SHARE, WAY, measure


async def file_chunks(path, size=256 * 1024):
    with await asyncio.to_thread(open, path, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, size):
            yield chunk


async def count_lines(chunks):
    lines, goes_on = 0, False
    async for chunk in chunks:
        lines += chunk.count(b"\n")
        goes_on = not chunk.endswith(b"\n")
    return lines + goes_on


async def count_chunks():
    async with aclosing(file_chunks(DATA)) as chunks:
        return await count_lines(chunks)


def count_whole():
    """Counts all lines in one thread, while the event loop is free."""
    lines, goes_on = 0, False
    buffer = bytearray(256 * 1024)
    with open(DATA, "rb", buffering=0) as file:
        while length := file.readinto(buffer):
            lines += buffer.count(b"\n", 0, length)
            goes_on = buffer[length - 1] != 10
    return lines + goes_on


def revenue():
    cents = 0
    with open(DATA, "rb", buffering=256 * 1024) as file:
        for order in file:
            cents += int(order.rsplit(b";", 1)[1])
    return cents


async def work(_):
    start = perf_counter()
    match WAY:
        case "chunks":
            result, each = await count_chunks(), 1
        case "thread":
            result, each = await asyncio.to_thread(count_whole), 1
        case "revenue":
            result, each = await asyncio.to_thread(revenue), 2499
    seconds = perf_counter() - start
    assert result == each * (os.path.getsize(DATA) // 100)
    return seconds


measure(work, os.path.getsize(DATA) // 100 * SHARE)
