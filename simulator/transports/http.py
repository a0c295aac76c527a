"""Real HTTP: one httpx client per device, every request sent byte for byte as asked.

On the wire stand `Host`, then the headers of the envelope in their order and spelling, then `Content-Length` when there
is a body (or the method usually has one), and nothing else: no Accept, Accept-Encoding, User-Agent, Connection or
Cookie that the envelope does not name. An answer is given as it came, with its Content-Encoding untouched.

No environment proxies, no automatic redirects, no retries, no credentials out of a link: what follows an odd answer is
the business of a flow. `within_s` is held by the event loop's own timeout, since a dripping body outlives any read
timeout of a library.
"""

from __future__ import annotations

import asyncio
import errno
import ssl
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from importlib.util import find_spec
from typing import Any, Final

import httpx

from fleetrig.simulator.contract.bodies import body_blocks
from fleetrig.simulator.contract.header_text import header_bytes
from fleetrig.simulator.contract.http import Body, Headers, HttpRequest, HttpResponse, body_length, find_header
from fleetrig.simulator.effects import REPLY_LIMIT_BYTES, Ask, Download, Downloaded, HttpReply, NoReply, Reply
from fleetrig.simulator.transports.loopback_names import reachable_host
from fleetrig.simulator.transports.storage import Storage, StoredFile

NO_AUTH: Final = httpx.Auth()
"""Adds nothing; without it httpx would overwrite a device's token by user and password out of a link."""
HIGHEST_PORT: Final = 65_535
"""httpx lets a higher one through, and the event loop then raises what no library foresees."""

if find_spec("sniffio") is None:
    # httpcore asks for it at each lock that it makes. A module that is not there is looked for in every folder, each
    # time; one that is known not to be there is not.
    sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]

OnSent = Callable[[], None]


class TooMuch(Exception):
    """An answer went over `REPLY_LIMIT_BYTES`."""


FAILURES: Final = (httpx.HTTPError, httpx.InvalidURL, TimeoutError, TooMuch, ValueError, ssl.SSLError)
"""An alert that comes after the client's own handshake (TLS 1.3) is told by the `ssl` module alone."""


class HttpTransport:
    """One device's HTTP connections. `verify` is its TLS context, shared or its own (`client_tls`)."""

    def __init__(self, verify: ssl.SSLContext, storage: Storage, *, one_connection: bool = False) -> None:
        """`one_connection`: requests wait for each other, as behind a gateway."""
        self._verify = verify
        self._one_connection = one_connection
        self._made: httpx.AsyncClient | None = None
        self._storage = storage
        self._users = 1

    @property
    def _client(self) -> httpx.AsyncClient:
        """Made when it is needed: a device that speaks MQTT has no use for it, and it takes more than all the rest."""
        if self._made is None:
            limits = httpx.Limits(max_connections=1) if self._one_connection else httpx.Limits()
            self._made = httpx.AsyncClient(
                verify=self._verify, trust_env=False, follow_redirects=False, timeout=None, limits=limits
            )
        return self._made

    def shared(self) -> HttpTransport:
        """The same connections for another device; they are closed when the last one closes them."""
        self._users += 1
        return self

    @property
    def is_open(self) -> bool:
        return self._users > 0

    async def ask(self, effect: Ask, on_sent: OnSent | None = None) -> HttpReply | NoReply:
        """Sends and reads the whole answer. `on_sent` is called when the request is out and nothing has come back."""
        request = effect.request
        assert isinstance(request, HttpRequest), f"{request.line} needs a connection"
        started_s = time.monotonic()
        try:
            async with asyncio.timeout(effect.within_s):
                response = await self._send(request, on_sent)
                try:
                    body = await _read_limited(response)
                finally:
                    await response.aclose()
        except FAILURES as error:
            return NoReply(why_no_reply(error), time.monotonic() - started_s)
        envelope = HttpResponse(response.status_code, _headers(response), body)
        return Reply(envelope, time.monotonic() - started_s)

    async def download(self, effect: Download, serial: str, on_sent: OnSent | None = None) -> Downloaded | NoReply:
        """Streams a body into the device's storage; what had come before a cut is kept."""
        started_s = time.monotonic()
        try:
            async with asyncio.timeout(effect.within_s):
                response = await self._send(effect.request, on_sent)
        except FAILURES as error:
            return NoReply(why_no_reply(error), time.monotonic() - started_s)
        try:
            return await self._store(effect, serial, response, started_s)
        finally:
            await response.aclose()

    async def close(self) -> None:
        self._users -= 1
        if self._users == 0 and self._made is not None:
            await self._made.aclose()

    async def _send(self, request: HttpRequest, on_sent: OnSent | None) -> httpx.Response:
        # "target" keeps the raw path: httpx would normalise what a server may have written differently.
        extensions: dict[str, Any] = {"target": request.target.encode("ascii", "surrogateescape")}
        shaking: list[Any] = []
        if on_sent is not None or request.origin.startswith("https:"):
            extensions["trace"] = _tracer(on_sent, shaking)
        body = request.body
        content = body or None if isinstance(body, bytes) else _streamed(body)
        built = self._client.build_request(request.method, request.origin, content=content, extensions=extensions)
        _reach_loopback(built)
        if not isinstance(body, bytes):
            built.headers["Content-Length"] = str(body_length(body))
        if (built.url.port or 0) > HIGHEST_PORT:
            raise httpx.InvalidURL(f"{request.origin} has no such port")
        built.headers = _only_asked_for(request.headers, built.headers)
        try:
            return await self._client.send(built, stream=True, auth=NO_AUTH)
        except BaseException:
            # The library loses a connection whose handshake is broken off: by a timeout, or with the power.
            for stream in shaking:
                await stream.aclose()
            raise

    async def _store(self, effect: Download, serial: str, response: httpx.Response, started_s: float) -> Downloaded:
        status, headers = response.status_code, _headers(response)
        if status not in (200, 206):
            return Downloaded(status, headers, 0, 0, {}, cut=False, after_s=time.monotonic() - started_s)
        file = self._storage.open(serial, effect.file, status, headers)
        had_bytes = file.stored_bytes
        cut = not await _take_all(effect, response, file)
        if not cut:
            self._storage.finished(serial, effect.file)
        received_bytes, after_s = file.stored_bytes - had_bytes, time.monotonic() - started_s
        return Downloaded(status, headers, received_bytes, file.stored_bytes, file.hashes(), cut, after_s)


async def _take_all(effect: Download, response: httpx.Response, file: StoredFile) -> bool:
    """False when the connection ended before the body did."""
    blocks = response.aiter_raw()
    try:
        while effect.at_most_bytes is None or file.stored_bytes <= effect.at_most_bytes:
            async with asyncio.timeout(effect.within_s):
                block = await anext(blocks)
            file.take(block)
    except StopAsyncIteration:
        pass
    except (httpx.HTTPError, TimeoutError, ssl.SSLError):
        return False
    return True


async def _streamed(body: Body) -> AsyncIterator[bytes]:
    """Block by block, so that an image of gigabytes is never in memory."""
    for block in body_blocks(body):
        yield block


def _reach_loopback(built: httpx.Request) -> None:
    """A name below `localhost` is looked up nowhere; the handshake and the Host header still say it."""
    host = built.url.host
    if (reachable := reachable_host(host)) != host:
        built.url = built.url.copy_with(host=reachable)
        built.extensions = {**built.extensions, "sni_hostname": host}


def _only_asked_for(asked: Headers, built: httpx.Headers) -> httpx.Headers:
    """The headers of the envelope, and what HTTP cannot do without."""
    host, length = (
        [(name, built[name])] if name in built and find_header(asked, name) is None else []
        for name in ("Host", "Content-Length")
    )
    named = [(name.encode("ascii"), header_bytes(value)) for name, value in (*host, *asked, *length)]
    return httpx.Headers(named)


def _tracer(on_sent: OnSent | None, shaking: list[Any]) -> Callable[[str, Any], Any]:
    """`shaking` holds a connection from TCP to the end of its TLS handshake."""

    async def note(event: str, info: Any) -> None:
        match event:
            case "connection.connect_tcp.complete":
                shaking.append(info["return_value"])
            case "connection.start_tls.complete":
                shaking.clear()
            case "http11.send_request_body.complete" if on_sent is not None:
                on_sent()

    return note


async def _read_limited(response: httpx.Response) -> bytes:
    parts, length = [], 0
    async for block in response.aiter_raw():
        length += len(block)
        if length > REPLY_LIMIT_BYTES:
            raise TooMuch
        parts.append(block)
    return b"".join(parts)


def _headers(response: httpx.Response) -> Headers:
    return tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in response.headers.raw)


def why_no_reply(error: BaseException) -> str:
    """The word of `NoReply` for what the library reported."""
    match error:
        case TimeoutError():
            return "timeout"
        case ssl.SSLError():
            return "tls"
        case httpx.NetworkError():
            return _why_no_connection(error)
        case httpx.RemoteProtocolError() if "without sending complete" in str(error):
            return "truncated"
        case httpx.RemoteProtocolError() if "without sending a response" in str(error):
            return "closed"
        case _:
            return "malformed"


def _why_no_connection(error: httpx.NetworkError) -> str:
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return "tls"
    if not isinstance(error, httpx.ConnectError):
        return "reset"
    numbers = {cause.errno for cause in causes if isinstance(cause, OSError) and cause.errno}
    return "refused" if numbers == {errno.ECONNREFUSED} else "unreachable"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all that led to it: several addresses of one name fail as a group."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for part in error.exceptions:
                yield from _causes(part)
        error = error.__cause__ or error.__context__
