# ANCHOR: keep
import ssl

import aiohttp


# ANCHOR: settings
def new_session(roots, identity):
    """The one session. `roots` has your own root certificates, as PEM.
    `identity` is a file: the client certificate and its key."""
    context = ssl.create_default_context()  # trusts the system's roots
    context.load_verify_locations(cadata=roots)
    context.load_cert_chain(identity)
    return aiohttp.ClientSession(
        headers={"User-Agent": "parcels/1.0 (ops@parcels.example)"},
        trust_env=True,  # HTTP_PROXY, HTTPS_PROXY, NO_PROXY
        timeout=aiohttp.ClientTimeout(
            total=10,
            connect=3,  # waiting for a free connection, and connecting
            sock_connect=2,
            sock_read=5,
        ),
        connector=aiohttp.TCPConnector(
            ssl=context,
            limit_per_host=10,
            keepalive_timeout=4,
        ),
    )
# ANCHOR_END: settings


# ANCHOR: label
def describe(error):
    """What failed, for a metric, and the innermost cause, for the log."""
    match error:
        case aiohttp.ClientResponseError():
            return "status", str(error.status)
        case aiohttp.InvalidURL():
            label = "settings or URL"
        case aiohttp.ClientConnectorDNSError():
            label = "dns"
        case aiohttp.ConnectionTimeoutError():
            label = "connect timeout"
        case aiohttp.ClientConnectorError():
            label = "connect"
        case TimeoutError():
            label = "timeout"
        case aiohttp.ClientPayloadError():
            label = "body"
        case _:
            label = "request"
    return label, repr(error.__cause__ or type(error))
# ANCHOR_END: label
# ANCHOR_END: keep


# A carrier with a certificate, and what must come of it.
import asyncio
import subprocess
import tempfile
from pathlib import Path

from aiohttp import web


def make_identity(folder):
    """A certificate of localhost, and its key. It is its own root."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
         "-keyout", key, "-out", certificate, "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )
    identity = folder / "identity.pem"
    identity.write_text(certificate.read_text() + key.read_text())
    return certificate.read_text(), identity


class Carrier:
    def __init__(self):
        self.running = self.peak = 0
        self.ends = asyncio.Event()

    async def show(self, request):
        names = ["User-Agent", "Accept-Encoding", "Cookie", "X-Api-Key",
                 "Authorization"]
        got = {name: request.headers.get(name) for name in names}
        response = web.json_response(got)
        response.set_cookie("session", "7")
        return response

    async def slow(self, _):
        self.running += 1
        self.peak = max(self.peak, self.running)
        await asyncio.sleep(0.01)
        self.running -= 1
        return web.Response()

    async def silent(self, _):
        await self.ends.wait()
        return web.Response()

    async def cut(self, request):
        response = web.StreamResponse(headers={"Content-Length": "10"})
        await response.prepare(request)
        await response.write(b"in tr")
        request.transport.close()
        return response

    async def reset(self, request):
        request.transport.close()
        return web.Response()

    async def start(self, context=None, location="/show"):
        async def moved(_):
            raise web.HTTPFound(location)

        app = web.Application()
        app.add_routes([
            web.get("/show", self.show),
            web.get("/slow", self.slow),
            web.get("/silent", self.silent),
            web.get("/cut", self.cut),
            web.get("/reset", self.reset),
            web.get("/moved", moved),
        ])
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        return runner, runner.addresses[0][1]


async def failure(session, url, **settings):
    try:
        async with session.get(url, **settings) as response:
            response.raise_for_status()
            await response.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        return describe(error)
    raise AssertionError("no failure")


class Unknown(aiohttp.abc.AbstractResolver):
    async def resolve(self, *_, **__):
        raise OSError("no such host")

    async def close(self):
        pass


async def main(folder):
    roots, identity = make_identity(folder)
    context = ssl.create_default_context(
        ssl.Purpose.CLIENT_AUTH, cadata=roots
    )
    context.load_cert_chain(identity)
    context.verify_mode = ssl.CERT_REQUIRED
    carrier = Carrier()
    runner, port = await carrier.start(context)
    other_runner, other_port = await Carrier().start()
    plain_runner, plain_port = await Carrier().start(
        location=f"http://localhost:{other_port}/show"
    )
    url = f"https://localhost:{port}"
    # ANCHOR: call
    async with new_session(roots, identity) as session:
        async with session.get(f"{url}/show") as response:
            shown = await response.json()
    # ANCHOR_END: call
    assert shown["User-Agent"] == "parcels/1.0 (ops@parcels.example)"
    assert shown["Cookie"] is None

    async with new_session(roots, identity) as session:
        assert session.trust_env
        limits = aiohttp.ClientTimeout(
            total=10, connect=3, sock_connect=2, sock_read=5
        )
        assert session.timeout == limits
        # Four seconds are too long for a test.
        assert session.connector._keepalive_timeout == 4
        # It keeps cookies, and asks for compressed bodies.
        for cookie in (None, "session=7"):
            async with session.get(f"{url}/show") as response:
                shown = await response.json()
            assert shown["Cookie"] == cookie
            assert "gzip" in shown["Accept-Encoding"]
            assert response.version == aiohttp.HttpVersion11

        async def slow():
            async with session.get(f"{url}/slow") as response:
                response.raise_for_status()

        await asyncio.gather(*(slow() for _ in range(100)))
        assert carrier.peak == 10, carrier.peak

        for case, label in [
            (f"{url}/missing", "status"),
            (f"{url}/cut", "body"),
            ("https://", "settings or URL"),
            (f"https://127.0.0.1:{port}", "connect"),  # another name
            (f"https://localhost:{plain_port}", "connect"),  # no TLS
        ]:
            got, cause = await failure(session, case)
            assert got == label, (case, got, cause)
        got, cause = await failure(session, f"{url}/reset")
        assert got == "request" and "ServerDisconnectedError" in cause, cause
        short = aiohttp.ClientTimeout(sock_read=0.1)
        got = await failure(session, f"{url}/silent", timeout=short)
        assert got[0] == "timeout", got

        # All connections are in use.
        short = aiohttp.ClientTimeout(connect=0.2)
        async with asyncio.TaskGroup() as group:
            long = aiohttp.ClientTimeout(total=1)
            for _ in range(10):
                silent = failure(session, f"{url}/silent", timeout=long)
                group.create_task(silent)
            await asyncio.sleep(0.1)
            got = await failure(session, f"{url}/show", timeout=short)
            assert got[0] == "connect timeout", got

        # It follows redirects unless it is told otherwise.
        async with session.get(f"{url}/moved") as response:
            assert response.url.path == "/show"
        async with session.get(f"{url}/moved", allow_redirects=False) as moved:
            moved.raise_for_status()  # accepts a redirect
            assert moved.status == 302

        # At another host the key arrives, and the password does not.
        secrets = {"X-Api-Key": "7", "Authorization": "Bearer 7"}
        moved = f"http://localhost:{plain_port}/moved"
        async with session.get(moved, headers=secrets) as response:
            shown = await response.json()
        assert (shown["X-Api-Key"], shown["Authorization"]) == ("7", None)

    # Without the root, the carrier is not trusted.
    async with aiohttp.ClientSession() as session:
        got, cause = await failure(session, url)
        assert got == "connect" and "CERTIFICATE_VERIFY_FAILED" in cause
        assert session.connector.limit == 100
        assert session.connector.limit_per_host == 0
    connector = aiohttp.TCPConnector(resolver=Unknown())
    async with aiohttp.ClientSession(connector=connector) as session:
        got = await failure(session, "https://carrier.example")
        assert got[0] == "dns", got

    # `cadata` replaces the system's roots, and does not add to them.
    alone = ssl.create_default_context(cadata=roots)
    assert alone.cert_store_stats()["x509_ca"] == 1

    carrier.ends.set()
    for each in (runner, other_runner, plain_runner):
        await each.cleanup()


with tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(Path(folder)))
