import io

# ANCHOR: all
import contextlib
import uuid

import pytest
from aiohttp import ClientError, ClientSession, ClientTimeout, InvalidURL, web
from aiohttp.test_utils import TestServer


async def attempt(session, key, parcel):
    # ANCHOR: request
    headers = {"Idempotency-Key": key}
    timeout = ClientTimeout(total=3)
    async with session.post(
        "/labels", json={"parcel": parcel}, headers=headers, timeout=timeout
    ) as response:
        response.raise_for_status()
        return await response.json()
    # ANCHOR_END: request


def may_succeed_later(error):
    status = getattr(error, "status", None)  # None without a response
    if status is None or status < 400:
        return not isinstance(error, InvalidURL)
    return status in (500, 502, 503, 504)


async def buy(session, key, parcel):
    """Buys a label. The key names the purchase: a retry has the same key."""
    # ANCHOR: retry
    try:
        return await attempt(session, key, parcel)
    except (ClientError, TimeoutError, ValueError) as error:
        if not may_succeed_later(error):
            raise
        return await attempt(session, key, parcel)
    # ANCHOR_END: retry


# ANCHOR: mock
@contextlib.asynccontextmanager
async def carrier(responses):
    """A server of the test, and the requests that it has got.

    A response is a status, or the text of a malformed body.
    """
    requests = []

    async def label(request):
        key = request.headers["Idempotency-Key"]
        requests.append((key, await request.json()))
        response = responses[len(requests) - 1]
        if isinstance(response, str):
            return web.Response(text=response, content_type="application/json")
        return web.json_response({"number": 1}, status=response)

    app = web.Application()
    app.add_routes([web.post("/labels", label)])
    async with TestServer(app) as server:
        async with ClientSession(server.make_url("/")) as session:
            yield session, requests
# ANCHOR_END: mock


# ANCHOR: test
@pytest.mark.asyncio
async def test_a_503_is_retried_with_the_same_key():
    async with carrier([503, 201]) as (session, requests):
        key = str(uuid.uuid4())
        assert await buy(session, key, 7) == {"number": 1}
    assert requests == [(key, {"parcel": 7})] * 2
# ANCHOR_END: test
# ANCHOR_END: all


@pytest.mark.asyncio
async def test_a_404_is_not_retried():
    async with carrier([404]) as (session, requests):
        with pytest.raises(ClientError):
            await buy(session, str(uuid.uuid4()), 7)
    assert len(requests) == 1


@pytest.mark.asyncio
async def test_a_malformed_body_is_retried():
    async with carrier(["<html>", 201]) as (session, requests):
        assert await buy(session, str(uuid.uuid4()), 7) == {"number": 1}
    assert len(requests) == 2


@pytest.mark.asyncio
async def test_an_invalid_url_is_not_retried():
    requests = []

    class Session:
        def post(self, *args, **kwargs):
            requests.append(args)
            raise InvalidURL("carrier")

    with pytest.raises(InvalidURL):
        await buy(Session(), str(uuid.uuid4()), 7)
    assert len(requests) == 1


@pytest.mark.asyncio
async def test_a_caller_calls_again():
    async with carrier([503, 503, 201]) as (session, requests):
        key = str(uuid.uuid4())
        with pytest.raises(ClientError):
            await buy(session, key, 7)
        assert await buy(session, key, 7) == {"number": 1}
    assert [key for key, _ in requests] == [key] * 3


OPTIONS = [
    "--override-ini=asyncio_default_fixture_loop_scope=function",
    "-pno:cacheprovider",
]

if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()) as report:
        ended = pytest.main([__file__, *OPTIONS])
    assert ended == 0 and "5 passed" in report.getvalue(), report.getvalue()
