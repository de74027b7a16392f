# ANCHOR: keep
import asyncio
import logging
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

log = logging.getLogger(__name__)


class Open(Exception):
    """Not sent: the circuit breaker is open."""


# ANCHOR: state
class State:
    def __init__(self, wait=None, score=0):
        now = asyncio.get_running_loop().time()
        # In the past: half-open; None: closed.
        self.open_until = None if wait is None else now + wait
        self.score = score
        self.permits = math.inf if wait is None else 1
# ANCHOR_END: state


# ANCHOR: settings
@dataclass
class Breaker:
    name: str
    limit: int
    weight: int
    open_for: float
    timeout: float
    failure: Callable[[Exception], float | None]
    state: State = field(default_factory=State)
# ANCHOR_END: settings

    async def call(self, request):
        # ANCHOR: permit
        state, now = self.state, asyncio.get_running_loop().time()
        if now < (state.open_until or 0) or state.permits < 1:
            raise Open
        state.permits -= 1
        # ANCHOR_END: permit
        # ANCHOR: request
        try:
            async with asyncio.timeout(self.timeout):
                result = await request()
        except Exception as error:
            wait = self.failure(error)
            if wait is not None:  # else it does not count
                self.record(state, wait)
            raise
        else:
            self.record(state)
            return result
        finally:
            state.permits += 1
        # ANCHOR_END: request

    # ANCHOR: record
    def record(self, state, wait=None):
        if state is not self.state:
            return  # it was sent before the breaker opened or closed
        half_open = state.open_until is not None
        if wait is not None:
            state.score += self.weight
            if state.score >= self.limit or wait > 0:
                wait = min(wait or self.open_for, 10 * self.open_for)
                jitter = wait * random.random()
                score = self.limit - self.weight
                self.state = State(wait + jitter, score)
                log.warning("%s: the breaker opens: %s s", self.name, wait)
        elif state.score > 1 or not half_open:
            state.score = max(0, state.score - 1)
            state.permits += half_open
        else:
            self.state = State()
            log.info("%s: the breaker closes", self.name)
    # ANCHOR_END: record
# ANCHOR_END: keep


# A carrier that fails in every way, and what must come of it.
import time
from email.utils import format_datetime, parsedate_to_datetime
from datetime import UTC, datetime, timedelta

import aiohttp


# ANCHOR: track
async def track(session, url):
    """The status of a parcel. The body is read here, for it may break off."""
    async with session.get(url) as response:
        response.raise_for_status()
        return await response.text()


def failure(error):
    """The wait that the carrier asks for if it has failed, else None."""
    if isinstance(error, aiohttp.ClientResponseError):
        if error.status not in {429, 500, 502, 503, 504}:
            return None
        return retry_after((error.headers or {}).get("Retry-After", ""))
    if isinstance(error, aiohttp.InvalidURL):
        return None
    # No response in time, or only a part of it.
    return 0 if isinstance(error, aiohttp.ClientError | TimeoutError) else None


def retry_after(text):
    """The seconds until `Retry-After`, which has seconds or a date, or 0."""
    if text.isdecimal():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return 0
    return max(0, date.timestamp() - time.time())
# ANCHOR_END: track


class PausedLoop(asyncio.SelectorEventLoop):
    """Its clock jumps to the next timer when nothing else can run."""

    paused_at = 0.0

    def time(self):
        return self.paused_at

    def _run_once(self):
        if not self._ready and self._scheduled:
            self.paused_at = max(self.paused_at, self._scheduled[0].when())
        super()._run_once()


def breaker(timeout=3, **settings):
    values = {"limit": 10, "weight": 2, "open_for": 30, **settings}
    return Breaker("north", timeout=timeout, failure=failure, **values)


def left(breaker):
    """How long it will be open."""
    until = breaker.state.open_until
    now = asyncio.get_running_loop().time()
    return until and max(0, until - now)


records = []
ANSWERS = {
    "404": "404 N", "400": "400 B", "501": "501 N", "429": "429 T",
    "500": "500 E", "502": "502 B", "503": "503 U", "504": "504 T",
    "asks": "503 U\r\nretry-after: 90", "soon": "503 U\r\nretry-after: 1",
    "far": "503 U\r\nretry-after: " + 300 * "9",
    "past": "503 U\r\nretry-after: Wed, 21 Oct 2015 07:28:00 GMT",
    "no_date": "503 U\r\nretry-after: soon",
}


async def kinds():
    """What opens it: a server and the real clock."""
    async def answer(reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return writer.close()
        case = head.split()[1].decode().strip("/")
        if case == "silent":
            await reader.read()
        elif case != "reset":
            date = datetime.now(UTC) + timedelta(seconds=400)
            date = format_datetime(date, usegmt=True)
            ANSWERS["date"] = f"503 U\r\nretry-after: {date}"
            status = ANSWERS.get(case, "200 OK")
            body = {"cut": "in tr"}.get(case, "in transit")
            writer.write(
                f"HTTP/1.1 {status}\r\ncontent-length: 10\r\n"
                f"connection: close\r\n\r\n{body}".encode()
            )
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    closed = await asyncio.start_server(answer, "127.0.0.1", 0)
    refused = closed.sockets[0].getsockname()[1]
    closed.close()
    url = f"http://{host}:{port}/ok"
    # ANCHOR: call
    async with aiohttp.ClientSession() as session:
        north = Breaker("north", 10, 2, 30, 3, failure)
        status = await north.call(lambda: track(session, url))
    # ANCHOR_END: call
    assert status == "in transit"
    log.propagate = False
    log.setLevel(logging.INFO)
    log.addHandler(handler := logging.Handler())
    handler.emit = lambda record: records.append(record.getMessage())

    async with aiohttp.ClientSession() as session:
        for case, expected, shortest in [
            *[(case, 20, 0) for case in ("ok", "404", "400", "501", "invalid")],
            *[(case, 5, 30) for case in ("429", "500", "502", "503", "504")],
            *[(case, 5, 30) for case in ("reset", "cut", "silent", "past")],
            ("no_date", 5, 30),
            ("refused", 5, 30),
            ("asks", 1, 90),
            ("soon", 1, 1),
            ("far", 1, 300),
            ("date", 1, 300),
        ]:
            it = breaker(0.05 if case == "silent" else 10)
            url = f"http://{host}:{port}/{case}"
            if case == "refused":
                url = f"http://{host}:{refused}/"
            elif case == "invalid":
                url = "no URL"
            sent = 0
            for _ in range(20):
                try:
                    await it.call(lambda: track(session, url))
                    sent += 1
                except Open:
                    pass
                except Exception:
                    sent += 1
            assert sent == expected, (case, sent)
            if shortest:
                assert shortest - 1 < left(it) <= 2 * shortest, (case, left(it))
                text = records.pop()
                assert text.startswith(f"north: the breaker opens: {shortest}")
            else:
                assert left(it) is None and not records
    assert failure(ValueError()) is None
    server.close()


class Carrier:
    """Takes a second, and counts its requests."""

    def __init__(self):
        self.sent = 0

    async def track(self, status):
        self.sent += 1
        if status == 0:
            await asyncio.Event().wait()
        await asyncio.sleep(1)
        if status != 200:
            raise aiohttp.ClientResponseError(None, (), status=status)
        return "in transit"

    def requests(self):
        sent, self.sent = self.sent, 0
        return sent


async def at_once(count, breaker, carrier, status):
    """So many calls at the same time: how many were refused."""
    calls = [breaker.call(lambda: carrier.track(status)) for _ in range(count)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        good = status == 200 and result == "in transit"
        assert good or isinstance(result, Exception), result
    return sum(isinstance(result, Open) for result in results)


async def half_open(carrier):
    it = breaker()
    for _ in range(5):
        assert left(it) is None
        await at_once(1, it, carrier, 503)
    assert left(it) > 0 and carrier.requests() == 5
    await asyncio.sleep(60)
    return it


async def probes():
    """How it closes again, and what becomes of a probe: a paused clock."""
    carrier = Carrier()
    it, sent = await half_open(carrier), []
    for _ in range(5):
        await at_once(100, it, carrier, 200)
        sent.append(carrier.requests())
    assert sent == [1, 2, 4, 8, 100] and left(it) is None
    opens, closes = records
    assert opens == "north: the breaker opens: 30 s"
    assert closes == "north: the breaker closes"
    await at_once(4, it, carrier, 503)
    assert left(it) is None
    await at_once(1, it, carrier, 503)
    assert left(it) > 0 and carrier.requests() == 5

    for every, expected in [(2, 18), (3, 300)]:
        it = breaker()
        for number in range(1, 301):
            await at_once(1, it, carrier, 200 if number % every else 503)
        assert carrier.requests() == expected

    for status in (503, 0):
        it = await half_open(carrier)
        assert await at_once(100, it, carrier, status) == 99
        assert carrier.requests() == 1
        assert await at_once(100, it, carrier, 200) == 100 and left(it) > 28

    # An error that does not count, and a caller that gives up.
    it = await half_open(carrier)
    await at_once(1, it, carrier, 404)
    try:
        async with asyncio.timeout(1):
            await it.call(lambda: carrier.track(0))
        raise AssertionError("it has ended")
    except TimeoutError:
        pass
    assert carrier.requests() == 2
    assert await at_once(100, it, carrier, 200) == 99
    assert await at_once(100, it, carrier, 200) == 98
    await at_once(1, it, carrier, 503)
    assert await at_once(9, it, carrier, 200) == 5 and left(it) == 0
    for number in range(1, 5):
        await at_once(1, it, carrier, 503)
        assert (left(it) > 0) == (number == 4)
    carrier.requests()

    # A cancelled probe holds its permit until its task runs.
    it = await half_open(carrier)
    task = asyncio.create_task(it.call(lambda: carrier.track(0)))
    await asyncio.sleep(0)
    task.cancel()
    assert it.state.permits == 0
    await asyncio.wait([task])
    assert it.state.permits == 1
    carrier.requests()

    # Requests that were sent before it opened do not count when they end.
    it = breaker()

    async def late():
        await asyncio.sleep(0.5)
        calls = [at_once(9, it, carrier, status) for status in (503, 200)]
        await asyncio.gather(*calls)

    task = asyncio.create_task(late())
    await at_once(5, it, carrier, 503)
    state = it.state
    await task
    assert it.state is state and left(it) > 0
    await asyncio.sleep(60)
    assert await at_once(100, it, carrier, 200) == 99

    # The first failure opens it, and the first success closes it.
    it = breaker(limit=1)
    await at_once(1, it, carrier, 503)
    assert left(it) > 0
    await asyncio.sleep(60)
    await at_once(1, it, carrier, 200)
    assert left(it) is None

    # Another weight: four failures open it, and seven successes close it.
    it = breaker(weight=3)
    for _ in range(2):
        await at_once(3, it, carrier, 503)
        assert left(it) is None
        await at_once(1, it, carrier, 503)
        assert left(it) > 0
        await asyncio.sleep(60)
        for _ in range(7):
            assert left(it) == 0
            await at_once(1, it, carrier, 200)
        assert left(it) is None

    # The random part of the wait.
    waits = []
    for _ in range(30):
        it = breaker(limit=2)
        await at_once(1, it, carrier, 503)
        waits.append(left(it))
    assert 30 <= min(waits) < 40 and 50 < max(waits) <= 60


asyncio.run(kinds())
with asyncio.Runner(loop_factory=PausedLoop) as runner:
    runner.run(probes())
