import asyncio
import os
import signal

analysed, returned = [], []


# ANCHOR: all
# ANCHOR: take
async def take(reader, writer, samples):
    await samples.put(int(await reader.readline()))
    writer.write(b"accepted\n")
    await writer.drain()
    writer.close()
# ANCHOR_END: take


# ANCHOR: work
async def work(samples):
    while True:
        sample = await samples.get()
        try:
            await analyse(sample)
            analysed.append(sample)
        except asyncio.CancelledError:
            returned.append(sample)
            raise
        finally:
            samples.task_done()
# ANCHOR_END: work


async def run(address):
    samples, inside = asyncio.Queue(8), set()
    workers = [asyncio.create_task(work(samples)) for _ in range(4)]

    async def visit(reader, writer):
        task = asyncio.current_task()
        inside.add(task)
        task.add_done_callback(inside.discard)
        await take(reader, writer, samples)

    # ANCHOR: signal
    term = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, term.set)
    # ANCHOR_END: signal
    server = await asyncio.start_server(visit, "127.0.0.1", 0)
    address.set_result(server.sockets[0].getsockname())
    # ANCHOR: closing
    await term.wait()
    server.close()
    # ANCHOR_END: closing
    try:
        async with asyncio.timeout(0.5):
            # ANCHOR: inside
            if inside:
                await asyncio.wait(inside)
            # ANCHOR_END: inside
            # ANCHOR: rest
            await samples.join()
    except TimeoutError:
        pass
    for worker in workers:
        worker.cancel()
    await asyncio.wait(workers)
    while not samples.empty():
        returned.append(samples.get_nowait())
    # ANCHOR_END: rest
# ANCHOR_END: all


async def analyse(sample):
    if sample == 7:
        await asyncio.Event().wait()  # the centrifuge is stuck
    await asyncio.sleep(0)


async def main():
    address = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(run(address))
    host, port = await address

    async def hand_in(sample):
        if sample == 30:
            os.kill(os.getpid(), signal.SIGTERM)
        try:
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(b"%d\n" % sample)
            answer = await reader.read()
            writer.close()
            return answer == b"accepted\n"
        except OSError:
            return False

    answers = []
    for first in range(0, 50, 10):
        batch = range(first, first + 10)
        answers += await asyncio.gather(*map(hand_in, batch))
    await server
    accepted = [sample for sample, answer in enumerate(answers) if answer]
    assert 30 <= len(accepted) < 50
    assert sorted(analysed + returned) == accepted
    assert returned == [7]


asyncio.run(main())
