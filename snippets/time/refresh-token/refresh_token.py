# ANCHOR: keep
import asyncio


class Tokens:
    # ANCHOR: settings
    def __init__(self, request, timeout, margin, pause):
        self.request = request
        self.timeout = timeout  # of a refresh
        self.margin = margin  # before a token expires, at most half its life
        self.pause = pause  # from the start of a refresh to the next start
        self.token = None  # header, when to renew it, when it expires
        self.task, self.began = None, 0
    # ANCHOR_END: settings

    # ANCHOR: get
    async def get(self, rejected=None):
        """The header of a valid token. `rejected` is one that got a 401."""
        now = asyncio.get_running_loop().time()
        if self.token and self.token[0] == rejected:
            self.token = None
        due = self.token is None or now >= self.token[1]
        idle = self.task is None or (
            self.task.done() and now >= self.began + self.pause
        )
        if due and idle:
            self.task, self.began = asyncio.create_task(self.renew(now)), now
        if self.token and now < self.token[2]:
            return self.token[0]
        return await asyncio.shield(self.task)
    # ANCHOR_END: get

    # ANCHOR: renew
    async def renew(self, sent):
        async with asyncio.timeout(self.timeout):
            token, lifetime = await self.request()
        header, end = f"Bearer {token}", sent + lifetime
        self.token = header, end - min(self.margin, lifetime / 2), end
        return header
    # ANCHOR_END: renew
# ANCHOR_END: keep


# ANCHOR: send
async def send(tokens, request):
    """Sends a request with a token. After a 401 it does so once more."""
    token = await tokens.get()
    response = await request(token)
    if response.status != 401:
        return response
    response.release()
    return await request(await tokens.get(rejected=token))
# ANCHOR_END: send


import aiohttp
from aiohttp import web


# ANCHOR: call
async def sign_in(session, url):
    basic = aiohttp.encode_basic_auth("parcels", "secret")
    async with session.post(
        url,
        data={"grant_type": "client_credentials"},
        headers={"Authorization": basic},
    ) as response:
        if not response.ok:
            raise OSError(f"{response.status}: {await response.text()}")
        answer = await response.json()
    return answer["access_token"], answer["expires_in"]


def new_tokens(session, url):
    return Tokens(
        lambda: sign_in(session, url), timeout=30, margin=300, pause=10
    )


async def track(session, tokens, url):
    def request(token):
        return session.get(url, headers={"Authorization": token})

    async with await send(tokens, request) as response:
        response.raise_for_status()
        return await response.text()
# ANCHOR_END: call


# An identity provider, a carrier, and what must come of them.
class PausedLoop(asyncio.SelectorEventLoop):
    """Its clock jumps to the next timer when nothing else can run."""

    paused_at = 0.0

    def __init__(self):
        super().__init__()
        select = self._selector.select

        def jump(timeout):
            self.paused_at += timeout or 0
            return select(timeout and 0)

        self._selector.select = jump

    def time(self):
        return round(self.paused_at, 3)


requests, mode = [], "works"


async def grant(life=3600):
    """The identity provider. It answers after two seconds."""
    requests.append(asyncio.get_running_loop().time())
    await asyncio.sleep(3600 if mode == "silent" else 2)
    if mode == "fails":
        raise OSError("503 Service Unavailable")
    return len(requests), life


async def many(tokens):
    """What twenty callers get, and how long they wait."""
    now = asyncio.get_running_loop().time
    start = now()
    callers = (tokens.get() for _ in range(20))
    ends = set(await asyncio.gather(*callers, return_exceptions=True))
    assert len(ends) == 1
    return ends.pop(), now() - start


async def main():
    global mode
    now, logged = asyncio.get_running_loop().time, []
    asyncio.get_running_loop().set_exception_handler(
        lambda _loop, context: logged.append(context["message"])
    )

    # In time: the hour counts from before the request.
    start, tokens = now(), Tokens(grant, 30, 300, 10)
    assert await many(tokens) == ("Bearer 1", 2)
    await asyncio.sleep(start + 3299.9 - now())
    assert await many(tokens) == ("Bearer 1", 0) and len(requests) == 1
    await asyncio.sleep(0.1)
    assert await many(tokens) == ("Bearer 1", 0)
    await asyncio.sleep(2.1)
    assert await many(tokens) == ("Bearer 2", 0) and len(requests) == 2

    # The provider is down: the old token is used until it expires.
    mode, start = "fails", requests[-1]
    await asyncio.sleep(start + 3300 - now())
    while now() < start + 3600:
        assert await many(tokens) == ("Bearer 2", 0)
        await asyncio.sleep(1)
    assert [at - start for at in requests[2:5]] == [3300, 3310, 3320]
    assert "Task exception was never retrieved" in logged
    error, waited = await many(tokens)
    assert isinstance(error, OSError) and waited == 2
    count = len(requests)
    await asyncio.sleep(7.9)
    assert await many(tokens) == (error, 0) and len(requests) == count
    mode = "works"
    await asyncio.sleep(0.1)
    assert (await many(tokens))[1] == 2 and len(requests) == count + 1

    # A silent provider; a caller that leaves.
    mode, tokens = "silent", Tokens(grant, 30, 300, 10)
    error, waited = await many(tokens)
    assert isinstance(error, TimeoutError) and waited == 30
    mode, count = "works", len(requests)
    first = asyncio.create_task(tokens.get())
    second = asyncio.create_task(tokens.get())
    await asyncio.sleep(1)
    first.cancel()
    assert await second == f"Bearer {count + 1}" and first.cancelled()

    # Ten callers whose token is rejected, and one that comes late.
    old = await tokens.get()
    await asyncio.sleep(10)
    callers = (tokens.get(rejected=old) for _ in range(10))
    assert set(await asyncio.gather(*callers)) == {f"Bearer {count + 2}"}
    assert await tokens.get(rejected=old) == f"Bearer {count + 2}"
    # Rejected at once: one refresh in ten seconds.
    newest = await tokens.get()
    assert await tokens.get(rejected=newest) == newest
    assert len(requests) == count + 2

    # A short life: it is renewed after a half.
    tokens = Tokens(lambda: grant(60), 30, 300, 10)
    count, start = len(requests), now()
    while now() < start + 3600:
        await tokens.get()
        await asyncio.sleep(1)
    assert len(requests) - count == 120


async def over_http():
    valid, asked, revoked = {"Bearer 2"}, [], []

    async def token(request):
        assert request.headers["Authorization"] == "Basic cGFyY2VsczpzZWNyZXQ="
        assert (await request.post())["grant_type"] == "client_credentials"
        asked.append(request)
        if revoked:
            return web.json_response({"error": "invalid_grant"}, status=400)
        answer = {"access_token": len(asked), "expires_in": 3600}
        return web.json_response(answer)

    async def parcel(request):
        ok = request.headers["Authorization"] in valid
        return web.Response(status=200 if ok else 401, text="in transit")

    app = web.Application()
    app.add_routes([web.post("/token", token), web.get("/parcels/7", parcel)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = "http://127.0.0.1:%d" % runner.addresses[0][1]
    async with aiohttp.ClientSession() as session:
        tokens = new_tokens(session, f"{url}/token")
        tokens.pause = 0
        parcel = f"{url}/parcels/7"
        callers = (track(session, tokens, parcel) for _ in range(10))
        assert await asyncio.gather(*callers) == ["in transit"] * 10
        assert len(asked) == 2
        valid.clear()
        try:
            await track(session, tokens, parcel)
            raise AssertionError("it is rejected")
        except aiohttp.ClientResponseError as error:
            assert error.status == 401 and len(asked) == 3
        revoked.append("parcels")
        try:
            await track(session, tokens, parcel)
            raise AssertionError("it is revoked")
        except OSError as error:
            assert str(error) == '400: {"error": "invalid_grant"}'
    await runner.cleanup()


with asyncio.Runner(loop_factory=PausedLoop) as runner:
    runner.run(main())
asyncio.run(over_http())
