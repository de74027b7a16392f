# ANCHOR: keep
import asyncio
import os
import tempfile


class Labels:
    """Shared by all callers. The semaphore and the pools limit how many jobs
    of their kind run."""

    def __init__(self, folder, fetch_timeout, network, cpu, disk):
        self.folder = folder
        self.fetch_timeout = fetch_timeout
        self.network = asyncio.Semaphore(network)
        self.cpu = cpu  # a pool of processes
        self.disk = disk  # a pool of threads

    async def make(self, parcel, fetch, render):
        """Fetches the address of a parcel, renders its label, and saves it."""
        # ANCHOR: network
        # Waits for the network: async, with a time limit.
        async with self.network, asyncio.timeout(self.fetch_timeout):
            address = await fetch(parcel)
        # ANCHOR_END: network
        # ANCHOR: cpu
        # Computes: in a process, as many as there are cores.
        loop = asyncio.get_running_loop()
        label = await loop.run_in_executor(self.cpu, render, address)
        # ANCHOR_END: cpu
        # ANCHOR: disk
        # Waits for the disk: all calls for one file in one job on a thread.
        name = f"{parcel}.label"
        job = loop.run_in_executor(self.disk, save, self.folder, name, label)
        await job
        # ANCHOR_END: disk


# ANCHOR: save
def save(folder, name, content):
    """Saves a file that is whole at each moment, also after a power failure."""
    file = tempfile.NamedTemporaryFile(dir=folder, delete=False)
    try:
        with file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # the content is on the disk
        os.replace(file.name, os.path.join(folder, name))
    except BaseException:
        os.unlink(file.name)
        raise
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # its name is on the disk, too
    finally:
        os.close(descriptor)
# ANCHOR_END: save
# ANCHOR_END: keep


# A carrier with addresses, labels of two lines, and what must come of them.
import errno
import multiprocessing
import stat
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from unittest import mock

# ANCHOR: call
LABEL_TIMEOUT = 30


async def make_all(labels, parcels):
    """Returns each parcel with None, or its exception."""
    made, parcels = [], iter(parcels)

    async def worker():
        for parcel in parcels:
            try:
                async with asyncio.timeout(LABEL_TIMEOUT):
                    await labels.make(parcel, fetch, render)
                made.append((parcel, None))
            except Exception as error:
                made.append((parcel, error))

    await asyncio.gather(*(worker() for _ in range(50)))
    return made
# ANCHOR_END: call


fetches, most = 0, 0


async def fetch(parcel):
    global fetches, most
    fetches += 1
    most = max(most, fetches)
    try:
        await asyncio.sleep(0.001)
        if parcel == 99:
            await asyncio.Event().wait()
        if parcel == 404:
            raise LookupError("404 Not Found")
        return b"" if parcel == 10 else b"%d Bergen" % parcel
    finally:
        fetches -= 1


def render(address):
    if not address:
        raise ValueError("no address")
    return b"PARCEL\n" + address


def render_beside_another(address):
    both.wait(60)
    return render(address)


def render_slowly(address):
    assert finish.wait(60)
    return render(address)


def names(folder):
    return sorted(os.listdir(folder))


async def any_number(new_labels):
    global most
    for count in (0, 1, 7, 1_000):
        with tempfile.TemporaryDirectory() as folder:
            labels, most = new_labels(folder), 0
            made = await make_all(labels, range(2_000, 2_000 + count))
            assert len(made) == count
            assert all(error is None for _, error in made)
            for name in (saved := names(folder)):
                label = Path(folder, name).read_bytes()
                assert label == b"PARCEL\n%d Bergen" % int(name[:4])
            assert len(saved) == count and most == min(20, count)


async def errors(new_labels, folder):
    labels = new_labels(folder)
    labels.fetch_timeout = 0.1
    made = dict(await make_all(labels, [7, 404, 99, 10]))
    assert made[7] is None and isinstance(made[10], ValueError)
    assert isinstance(made[99], TimeoutError)
    assert isinstance(made[404], LookupError)
    assert names(folder) == ["7.label"]
    for _ in range(20):  # each permit is back
        assert not labels.network.locked()
        await labels.network.acquire()
    # The wait for a permit is not a part of the fetch.
    asyncio.get_running_loop().call_later(0.2, labels.network.release)
    await labels.make(8, fetch, render)
    assert names(folder) == ["7.label", "8.label"]


async def in_parallel(new_labels, folder):
    labels = new_labels(folder)
    made = (labels.make(n, fetch, render_beside_another) for n in range(8))
    await asyncio.gather(*made)


async def given_up(new_labels, folder):
    labels = new_labels(folder)
    jobs = [labels.make(n, fetch, render_slowly) for n in (7, 8)]
    jobs = [asyncio.create_task(job) for job in jobs]
    _, late = await asyncio.wait(jobs, timeout=0.1)
    assert len(late) == 2 and not labels.network.locked()
    assert labels.network._value == 20  # the fetches have ended
    for job in jobs:
        job.cancel()
    await asyncio.wait(jobs)
    third = asyncio.create_task(labels.make(9, fetch, render))
    _, late = await asyncio.wait([third], timeout=0.1)
    assert late  # both processes are still at work
    finish.set()
    await third
    assert names(folder) == ["9.label"]


def saving(folder):
    # The order in which the disk gets to know.
    seen = []

    def synced(descriptor, fsync=os.fsync):
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        seen.append(("folder" if is_folder else "file", names(folder)))
        if not is_folder:
            assert os.fstat(descriptor).st_size == 3  # it is flushed
        fsync(descriptor)

    with mock.patch("os.fsync", synced):
        save(folder, "7.label", b"old")
        with open(Path(folder, "7.label"), "rb") as reader:
            save(folder, "7.label", b"new")
            assert reader.read() == b"old"
    assert Path(folder, "7.label").read_bytes() == b"new"
    assert [what for what, _ in seen] == ["file", "folder"] * 2
    assert len(seen[0][1]) == 1 and "7.label" not in seen[0][1]
    assert seen[1][1] == ["7.label"]

    Path(folder, "8.label").mkdir()
    descriptors = len(os.listdir("/dev/fd"))
    try:
        save(folder, "8.label", b"new")
        raise AssertionError("there is a folder of this name")
    except OSError as error:
        assert error.errno == errno.EISDIR
    assert names(folder) == ["7.label", "8.label"]
    save(folder, "7.label", b"new")
    assert len(os.listdir("/dev/fd")) == descriptors


async def main():
    with tempfile.TemporaryDirectory() as folder:
        # ANCHOR: new
        with (
            ProcessPoolExecutor(os.cpu_count()) as cpu,
            ThreadPoolExecutor(4) as disk,
        ):
            labels = Labels(folder, 5, 20, cpu, disk)
            made = await make_all(labels, [7])
        # ANCHOR_END: new
        assert made == [(7, None)]
    with (
        ProcessPoolExecutor(2, context) as cpu,
        ThreadPoolExecutor(4) as disk,
    ):
        def new_labels(folder):
            return Labels(folder, 5, 20, cpu, disk)

        await any_number(new_labels)
        for case in (errors, in_parallel, given_up):
            with tempfile.TemporaryDirectory() as folder:
                await case(new_labels, folder)
    with tempfile.TemporaryDirectory() as folder:
        saving(folder)


if __name__ == "__main__":
    # The processes of the pool inherit these two.
    context = multiprocessing.get_context("fork")
    both, finish = context.Barrier(2), context.Event()
    asyncio.run(main())
