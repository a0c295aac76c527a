"""Real HTTP: one httpx client per device over one shared TLS context, every request sent byte for byte as asked.

No environment proxies, no automatic redirects, no retries: what follows an odd answer is the business of a flow.
`within_s` is held by the event loop's own timeout, since a dripping body outlives any read timeout of a library.
"""

from __future__ import annotations

import asyncio
import errno
import ssl
import time
from collections.abc import Callable
from typing import Any, Final

import httpx

from simulator.contract.bodies import body_bytes
from simulator.contract.wire import HttpRequest, HttpResponse
from simulator.effects import Ask, Download, Downloaded, NoReply, Reply
from simulator.transports.storage import Storage

REPLY_LIMIT_BYTES: Final = 4 * 1024 * 1024
"""Far above any document of a platform; a larger answer is `malformed`."""


class TooMuch(Exception):
    """An answer went over `REPLY_LIMIT_BYTES`."""


class HttpTransport:
    """One device's connection to whatever its links name."""

    def __init__(self, verify: ssl.SSLContext | bool, storage: Storage) -> None:
        self._client = httpx.AsyncClient(verify=verify, trust_env=False, follow_redirects=False, timeout=None)
        self._storage = storage

    async def ask(self, effect: Ask, on_sent: Callable[[], None] | None = None) -> Reply | NoReply:
        """Sends and reads the whole answer. `on_sent` is called when the request is out and nothing has come back."""
        started_s = time.monotonic()
        try:
            async with asyncio.timeout(effect.within_s):
                response = await self._send(effect.request, on_sent)
                try:
                    body = await _read_limited(response)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, TimeoutError, TooMuch, ValueError, httpx.InvalidURL) as error:
            return NoReply(why_no_reply(error), time.monotonic() - started_s)
        return Reply(_neutral(response, body), time.monotonic() - started_s)

    async def download(
        self, effect: Download, serial: str, on_sent: Callable[[], None] | None = None
    ) -> Downloaded | NoReply:
        """Streams a body into the device's storage; a cut connection still gives what had come."""
        started_s = time.monotonic()
        try:
            async with asyncio.timeout(effect.within_s):
                response = await self._send(effect.request, on_sent)
        except (httpx.HTTPError, TimeoutError, ValueError, httpx.InvalidURL) as error:
            return NoReply(why_no_reply(error), time.monotonic() - started_s)
        try:
            return await self._store(effect, serial, response)
        finally:
            await response.aclose()

    async def close(self) -> None:
        await self._client.aclose()

    async def _send(self, request: HttpRequest, on_sent: Callable[[], None] | None) -> httpx.Response:
        async def told(event: str, _: Any) -> None:
            if on_sent is not None and event == "http11.send_request_body.complete":
                on_sent()

        # "target" keeps the raw path: httpx would normalise what a server may have written differently.
        extensions: dict[str, Any] = {"target": request.target.encode("ascii", "surrogateescape"), "trace": told}
        built = self._client.build_request(
            request.method, request.origin, content=body_bytes(request.body) or None, extensions=extensions
        )
        own = httpx.Headers([(name, value) for name, value in request.headers])
        for name in ("host", "content-length"):
            if name in built.headers and name not in own:
                own[name] = built.headers[name]
        built.headers = own
        return await self._client.send(built, stream=True)

    async def _store(self, effect: Download, serial: str, response: httpx.Response) -> Downloaded:
        headers = _headers(response)
        if response.status_code not in (200, 206):
            return Downloaded(response.status_code, headers, 0, 0, {}, cut=False)
        file = self._storage.open(serial, effect.file, effect.from_byte, response.status_code)
        received_bytes, cut = 0, False
        blocks = response.aiter_raw()
        try:
            while True:
                async with asyncio.timeout(effect.within_s):
                    block = await anext(blocks)
                file.take(block)
                received_bytes += len(block)
        except StopAsyncIteration:
            pass
        except (httpx.HTTPError, TimeoutError):
            cut = True
        return Downloaded(response.status_code, headers, received_bytes, file.stored_bytes, file.hashes(), cut)


def why_no_reply(error: BaseException) -> str:
    """The word of `NoReply` for what a library reported."""
    match error:
        case TimeoutError():
            return "timeout"
        case httpx.ConnectError():
            return "refused" if _errno(error) in (errno.ECONNREFUSED, None) else "unreachable"
        case httpx.RemoteProtocolError() if "without sending complete" in str(error):
            return "truncated"
        case httpx.RemoteProtocolError() if "without sending a response" in str(error):
            return "closed"
        case httpx.ReadError() | httpx.WriteError():
            return "reset"
        case httpx.RemoteProtocolError() | TooMuch() | ValueError() | httpx.InvalidURL():
            return "malformed"
        case _:
            return "unreachable"


def _errno(error: BaseException | None) -> int | None:
    """The operating system's number, wherever in the chain of causes it stands."""
    while error is not None:
        if isinstance(error, OSError) and error.errno:
            return error.errno
        error = error.__cause__ or error.__context__
    return None


async def _read_limited(response: httpx.Response) -> bytes:
    parts, length = [], 0
    async for block in response.aiter_bytes():
        length += len(block)
        if length > REPLY_LIMIT_BYTES:
            raise TooMuch
        parts.append(block)
    return b"".join(parts)


def _headers(response: httpx.Response) -> tuple[tuple[str, str], ...]:
    return tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in response.headers.raw)


def _neutral(response: httpx.Response, body: bytes) -> HttpResponse:
    return HttpResponse(response.status_code, _headers(response), body)
