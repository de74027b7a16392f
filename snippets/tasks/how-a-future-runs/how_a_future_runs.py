# ANCHOR: keep
from functools import partial
from queue import SimpleQueue
from threading import Lock


# ANCHOR: reply
class Reply:
    """A value that arrives later, for one task that waits for it."""

    def __init__(self):
        self.lock, self.values, self.wake = Lock(), [], None

    def send(self, value):
        with self.lock:
            self.values.append(value)
            wake, self.wake = self.wake, None
        if wake is not None:
            wake()

    def wait(self, wake):
        with self.lock:
            if not self.values:
                self.wake = wake
                return
        wake()

    def __await__(self):
        while not self.values:
            yield self  # to the executor
        return self.values.pop()
# ANCHOR_END: reply


# ANCHOR: run
def run(coroutines):
    """An executor: runs all coroutines, and returns their outputs."""
    ready, tasks, outputs = SimpleQueue(), dict(enumerate(coroutines)), {}
    for number in tasks:
        ready.put(number)
    while tasks:
        number = ready.get()  # sleeps until a wake
        try:
            reply = tasks[number].send(None)  # to the next await that waits
        except StopIteration as end:
            outputs[number] = end.value
            del tasks[number]
        else:
            reply.wait(partial(ready.put, number))
    return [outputs[number] for number in sorted(outputs)]
# ANCHOR_END: run
# ANCHOR_END: keep


# What must come of it, with this executor and with asyncio's.
import asyncio
import threading

# ANCHOR: call
reply = Reply()


async def price():
    return await reply + 99


thread = threading.Thread(target=reply.send, args=[1250])
thread.start()
prices = run([price()])
# ANCHOR_END: call
thread.join()
assert prices == [1349]

reply, woken = Reply(), []
reply.wait(partial(woken.append, 1))
assert woken == []
reply.send(1250)
assert woken == [1]
reply.wait(partial(woken.append, 2))  # it has a value already
assert woken == [1, 2]

events = []


async def receives(reply):
    events.append("A begins")
    price = await reply
    events.append("A goes on")
    return price


async def sends(send):
    events.append("B sends")
    send(1250)
    events.append("B ends")
    return 0


reply = Reply()
order = ["A begins", "B sends", "B ends", "A goes on"]
assert run([receives(reply), sends(reply.send)]) == [1250, 0]
assert events == order


async def by_asyncio():
    reply = asyncio.get_running_loop().create_future()
    return await asyncio.gather(receives(reply), sends(reply.set_result))


events.clear()
assert asyncio.run(by_asyncio()) == [1250, 0]
assert events == order


# ANCHOR: steps
async def add(reply):
    return await reply + 99


reply = Reply()
coroutine = add(reply)  # nothing runs
assert coroutine.send(None) is reply  # "pending", and what it waits for
reply.send(1)
try:
    coroutine.send(None)
    raise AssertionError("it has ended")
except StopIteration as end:  # "ready"
    assert end.value == 100
# ANCHOR_END: steps


# ANCHOR: close
async def waits(reply):
    try:
        await reply
    finally:
        events.append("closed")


events.clear()
coroutine = waits(Reply())
coroutine.send(None)
coroutine.close()  # what dropping does in Rust
assert events == ["closed"]
# ANCHOR_END: close
