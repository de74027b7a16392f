# ANCHOR: keep
import asyncio
import logging

import aiohttp
from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential_jitter,
)

log = logging.getLogger(__name__)
ATTEMPT = 3  # seconds, the limit of one attempt


# ANCHOR: transient
def is_transient(error):
    """Whether the same GET request may succeed later."""
    if isinstance(error, aiohttp.ClientResponseError):
        return error.status in {408, 429, 500, 502, 503, 504}
    # No response, or only a part of it.
    lost = aiohttp.ClientConnectionError | aiohttp.ClientPayloadError
    return isinstance(error, lost | TimeoutError)
# ANCHOR_END: transient


def retry_after(error):
    """`Retry-After` in seconds. A date counts as zero."""
    value = (getattr(error, "headers", None) or {}).get("Retry-After", "")
    return float(value) if value.isdecimal() else 0


def log_retry(state):
    """Logs the status or the cause of a failed attempt, and no URL."""
    error = state.outcome.exception()
    status = getattr(error, "status", type(error).__name__)
    log.warning("retrying in %.1f s: %s", state.upcoming_sleep, status)


# ANCHOR: track
async def track(session, url, backoff, deadline):
    """The status of a parcel, or the last error before the deadline."""
    def left():
        return deadline - asyncio.get_running_loop().time()

    def wait(state):
        return backoff(state) + retry_after(state.outcome.exception())

    def is_late(state):
        return state.upcoming_sleep >= left()

    async def attempt():
        # aiohttp takes 0 and less for "no timeout".
        total = max(0.001, min(left(), ATTEMPT))
        timeout = aiohttp.ClientTimeout(total=total)
        async with session.get(url, timeout=timeout) as response:
            response.raise_for_status()
            return await response.text()

    retries = AsyncRetrying(
        retry=retry_if_exception(is_transient),
        stop=stop_after_attempt(3) | is_late,
        wait=wait,
        before_sleep=log_retry,
        reraise=True,
    )
    return await retries(attempt)
# ANCHOR_END: track
# ANCHOR_END: keep


# A carrier that fails on purpose, and what must come of it. Waits and the
# limit of an attempt are shorter than they would be.
from tenacity import (
    retry,
    retry_if_not_exception_type,
    stop_never,
    wait_none,
    wait_random,
)

MS = 0.001
ANSWERS = {
    "5xx": ["500 E", "504 T"], "reset": [None, None], "cut": ["cut"] * 2,
    "asked": ["429 T\r\nretry-after: 5"] * 2, "busy": ["429 T", "503 U"],
    "unknown": ["404 N"], "unsupported": ["505 V"],
    "far": ["429 T\r\nretry-after: " + 5000 * "9"],
    "down": ["408 T", "502 B", "503 U"],
}


async def main():
    global ATTEMPT
    requests = []

    async def answer(reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:  # the client has given up
            return writer.close()
        case = head.split()[1].decode().strip("/")
        requests.append(case)
        if case == "silent":
            await reader.read()
            return writer.close()
        answers = ANSWERS.get(case, [])
        body, number = "in transit", requests.count(case) - 1
        status = answers[number] if number < len(answers) else "200 OK"
        if status and status.startswith("cut"):
            status, body = "200 OK", "in tr"
        elif status and status != "200 OK":
            body = ""
        if status:
            length = 10 if body else 0
            writer.write(
                f"HTTP/1.1 {status}\r\ncontent-length: {length}\r\n"
                f"connection: close\r\n\r\n{body}".encode()
            )
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    records = []
    log.propagate = False
    log.addHandler(handler := logging.Handler())
    handler.emit = records.append
    now = asyncio.get_running_loop().time
    url = f"http://{host}:{port}/ok"
    # ANCHOR: call
    async with aiohttp.ClientSession() as session:
        backoff = wait_exponential_jitter(multiplier=1, jitter=1)
        deadline = asyncio.get_running_loop().time() + 20
        status = await track(session, url, backoff, deadline)
    # ANCHOR_END: call
    assert status == "in transit"

    async with aiohttp.ClientSession() as session:
        for case, limit, attempts, outcome in [
            ("5xx", 20, 3, "in transit"),
            ("cut", 20, 3, "in transit"),
            ("busy", 20, 3, "in transit"),
            ("unknown", 20, 1, 404),
            ("unsupported", 20, 1, 505),
            ("down", 20, 3, 503),
            ("asked", 4, 1, 429),
            ("far", 20, 1, 429),
            ("silent", 20, 3, TimeoutError),
            ("silent", 0.2, 1, TimeoutError),
            ("silent", -1, 0, TimeoutError),
        ]:
            requests.clear()
            ATTEMPT = 0.2 if limit == 20 and case == "silent" else 3
            start = now()
            backoff = wait_exponential_jitter(multiplier=1 * MS, jitter=1 * MS)
            url = f"http://{host}:{port}/{case}"
            try:
                got = await track(session, url, backoff, start + limit)
            except aiohttp.ClientResponseError as error:
                got = error.status
            except TimeoutError:
                got = TimeoutError
            assert got == outcome, (case, got)
            assert now() - start < max(0, min(limit, 3)) + 1, case
            sent = requests.count(case)
            assert sent == attempts or limit < 0 and sent <= 1, (case, sent)

        ATTEMPT = 3
        # aiohttp sends a GET once more by itself when the connection is lost.
        requests.clear()
        url = f"http://{host}:{port}/reset"
        waits = []

        def backoff(state):
            waits.append(state.attempt_number)
            return wait_random(0, MS)(state)

        assert await track(session, url, backoff, now() + 20) == "in transit"
        assert (requests.count("reset"), waits) == (3, [1])
    server.close()
    said = {record.getMessage() for record in records}
    assert {"retrying in 0.0 s: 408", "retrying in 0.0 s: TimeoutError"} <= said
    assert not any("http:" in line for line in said)
    assert retry_after(TimeoutError()) == 0, "it has no headers"

    # A filter that is too broad retries a cancellation.
    attempts = 0

    async def cancelled():
        nonlocal attempts
        attempts += 1
        raise asyncio.CancelledError

    broad = AsyncRetrying(
        retry=retry_if_not_exception_type(ValueError),
        stop=stop_after_attempt(2),
        reraise=True,
    )
    try:
        await broad(cancelled)
        raise AssertionError("not cancelled")
    except asyncio.CancelledError:
        assert attempts == 2

    # A coroutine can be awaited once.
    coroutine = asyncio.sleep(0)
    await coroutine
    try:
        await coroutine
        raise AssertionError("awaited twice")
    except RuntimeError as error:
        assert "cannot reuse already awaited coroutine" in str(error)

    # A bare @retry retries forever and does not wait.
    bare = retry(cancelled).retry
    assert bare.stop is stop_never and isinstance(bare.wait, wait_none)


asyncio.run(main())
