import asyncio

book, at_work = [], set()


# ANCHOR: all
# ANCHOR: sell
async def sell(seal):
    book.append("sold")
    await seal.wait()
    book.append("bought")
# ANCHOR_END: sell


# ANCHOR: shield
async def shielded(work):
    task = asyncio.create_task(work)
    at_work.add(task)
    task.add_done_callback(at_work.discard)
    return await asyncio.shield(task)
# ANCHOR_END: shield


async def main():
    books = []
    for request in [sell, lambda seal: shielded(sell(seal))]:
        book.clear()
        seal = asyncio.Event()
        client = asyncio.create_task(request(seal))
        await asyncio.sleep(0.01)
        client.cancel()
        await asyncio.wait([client])
        # ANCHOR: wait
        seal.set()
        if at_work:
            await asyncio.wait(at_work)
        # ANCHOR_END: wait
        books.append(book.copy())
    assert books == [["sold"], ["sold", "bought"]]
# ANCHOR_END: all


asyncio.run(main())
