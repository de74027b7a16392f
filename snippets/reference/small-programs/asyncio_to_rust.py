import asyncio
import contextlib
import os
import socket
import tempfile


# ANCHOR: server
too_long = []


async def serve(reader, writer):
    try:
        while line := await reader.readline():
            writer.write(b"parcel %b: delivered\n" % line.strip())
            await writer.drain()
    except ValueError as error:
        too_long.append(error)
    finally:
        writer.close()
        await writer.wait_closed()
# ANCHOR_END: server


async def tcp():
    # ANCHOR: client
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=80)
    address = server.sockets[0].getsockname()

    connect = asyncio.open_connection(*address)
    reader, writer = await asyncio.wait_for(connect, 5)
    sock = writer.get_extra_info("socket")
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    writer.write(b"7\n8")
    writer.write_eof()
    assert await reader.read() == b"parcel 7: delivered\nparcel 8: delivered\n"
    writer.close()

    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"7" * 81)
    assert await reader.read() == b"", "the server has closed"
    writer.close()
    assert len(too_long) == 1
    server.close()
    # ANCHOR_END: client


async def until():
    # ANCHOR: until
    reader = asyncio.StreamReader()
    reader.feed_data(b"7;8")
    reader.feed_eof()
    assert await reader.readuntil(b";") == b"7;"
    try:
        await reader.readuntil(b";")
        raise AssertionError("no delimiter")
    except asyncio.IncompleteReadError as error:
        assert error.partial == b"8"
    # ANCHOR_END: until


# ANCHOR: udp
class Events(asyncio.DatagramProtocol):
    def __init__(self):
        self.received = asyncio.Queue()

    def datagram_received(self, data, address):
        self.received.put_nowait(data)

    def error_received(self, error):
        self.received.put_nowait(error)


async def udp():
    loop = asyncio.get_running_loop()
    here = ("127.0.0.1", 0)
    server, events = await loop.create_datagram_endpoint(
        Events, local_addr=here)
    address = server.get_extra_info("sockname")
    client, errors = await loop.create_datagram_endpoint(
        Events, remote_addr=address)
    client.sendto(b"1234567")
    assert await events.received.get() == b"1234567"

    sock = server.get_extra_info("socket")
    gone = asyncio.Event()
    events.connection_lost = lambda _: gone.set()
    server.close()
    await gone.wait()
    while sock.fileno() != -1:  # it is closed after `connection_lost`
        await asyncio.sleep(0)
    client.sendto(b"9")
    assert isinstance(await errors.received.get(), OSError)
    client.close()
# ANCHOR_END: udp


async def child():
    # ANCHOR: child
    pipe = asyncio.subprocess.PIPE
    cat = await asyncio.create_subprocess_exec("cat", stdin=pipe, stdout=pipe)
    labels = b"-" * 1_000_000
    output, _ = await cat.communicate(labels)
    assert output == labels

    printer = await asyncio.create_subprocess_shell(
        "echo label 7; echo no paper >&2",
        stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    output, _ = await printer.communicate()
    assert output == b"label 7\nno paper\n"
    # ANCHOR_END: child


async def barrier():
    # ANCHOR: barrier
    barrier = asyncio.Barrier(2)
    places = await asyncio.gather(barrier.wait(), barrier.wait())
    assert sorted(places) == [0, 1]

    try:
        await asyncio.wait_for(barrier.wait(), 0.01)
        raise AssertionError("it waits for a second task")
    except TimeoutError:
        assert barrier.n_waiting == 0, "it is not counted"
    # ANCHOR_END: barrier


async def state():
    # ANCHOR: state
    queue = asyncio.Queue(2)
    queue.put_nowait("parcel 7")
    assert (queue.qsize(), queue.maxsize) == (1, 2)
    assert queue.get_nowait() == "parcel 7"
    try:
        queue.get_nowait()
        raise AssertionError("it is empty")
    except asyncio.QueueEmpty:
        pass

    status = asyncio.get_running_loop().create_future()
    status.set_result("delivered")
    try:
        status.set_result("lost")
        raise AssertionError("it is set")
    except asyncio.InvalidStateError:
        pass

    assert asyncio.current_task() is not None, "main is a task"
    # ANCHOR_END: state


async def unix():
    # ANCHOR: unix
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "parcels.sock")
        old = socket.socket(socket.AF_UNIX)
        old.bind(path)
        old.close()
        assert os.path.exists(path), "the file is left"
        server = await asyncio.start_unix_server(serve, path)
        server.close()
    # ANCHOR_END: unix


async def stack():
    # ANCHOR: stack
    closed = []

    async def close(name):
        closed.append(name)

    async with contextlib.AsyncExitStack() as stack:
        for name in ["printer", "carrier"]:
            stack.push_async_callback(close, name)
    assert closed == ["carrier", "printer"]
    # ANCHOR_END: stack


async def main():
    await tcp()
    await until()
    await udp()
    await child()
    await barrier()
    await state()
    await unix()
    await stack()


asyncio.run(main())
