import asyncio


async def main():
    # No await in between: no other task runs, and no lock is needed.
    credit = 1000

    async def pay():
        nonlocal credit
        for _ in range(100):
            credit -= 1

    await asyncio.gather(*(pay() for _ in range(10)))
    assert credit == 0

    # ANCHOR: changes
    credit = 100

    async def pay_price():
        nonlocal credit
        credit -= await asyncio.sleep(0, result=10)  # the price

    await asyncio.gather(*(pay_price() for _ in range(10)))
    assert credit == 90  # nine changes are lost
    # ANCHOR_END: changes

    # The same in two lines.
    async def pay_after():
        nonlocal credit
        before = credit
        await asyncio.sleep(0)
        credit = before - 10

    credit = 100
    await asyncio.gather(*(pay_after() for _ in range(10)))
    assert credit == 90

    # An error releases the lock, and leaves the change half done.
    account, lock = {"credit": 100, "labels": []}, asyncio.Lock()
    try:
        async with lock:
            account["credit"] -= 30
            raise ValueError("the address has a comma")
    except ValueError:
        pass
    async with lock:
        assert account == {"credit": 70, "labels": []}

    # Another task may release it.
    async def hold():
        await lock.acquire()

    await asyncio.create_task(hold())
    assert lock.locked()
    lock.release()
    assert not lock.locked()


asyncio.run(main())
