"""What a refusal looks like on the wire: hawkBit's error body, or the framework's as it fits `Accept` (§0.1).

The framework answers whom it takes for a browser with a page, and whom it takes for a downloader with nothing.
"""

from __future__ import annotations

import html
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.media_types import MediaType, NoMediaType, accepted, negotiate
from fleetrig.reference_server.platforms.hawkbit.request.replies import (
    CBOR,
    JSON,
    SECURITY_HEADERS,
    disposition,
    encode,
)
from fleetrig.reference_server.platforms.hawkbit.state.errors import HawkbitError
from fleetrig.simulator.contract.clock import US_PER_MS, US_PER_S
from fleetrig.simulator.contract.http import Headers, HttpResponse

ERROR_TYPES: Final = (JSON, "application/*+json", CBOR)
PAGE: Final = MediaType("text", "html")
STREAM: Final = MediaType("application", "octet-stream")
OWN_WORDS: Final = frozenset({"rest.body.notReadable", "insufficientPermission"})
"""Codes of errors that the framework knows itself, with their status; any other that it has to answer is a 500."""

Rendered = tuple[int, Headers, bytes]
"""Status, `Content-…` headers, body."""


def refusal(error: HawkbitError, call: Call) -> HttpResponse:
    """The answer of an error. A 400 closes the connection (§0)."""
    if error.java_class:
        status, about, body = _own(error, call)
    elif error.framework:
        status, about, body = _of_framework(error.status, call)
    else:
        status, about, body = error.status, (), b""
    headers = error.headers + about
    if error.secured:
        headers += SECURITY_HEADERS
    if status == HTTPStatus.BAD_REQUEST:
        headers += (("Connection", "close"),)
    if call.request.method == "HEAD":
        return HttpResponse(status, (*headers, ("Content-Length", str(len(body)))))
    return HttpResponse(status, headers, body)


def framework_reply(status: int, call: Call) -> HttpResponse:
    """The framework's answer to a request whose body broke off: what was to be answered is thrown away, headers too."""
    status, about, body = _of_framework(status, call)
    if call.request.method == "HEAD":
        return HttpResponse(status, (*about, ("Content-Length", str(len(body))), ("Connection", "close")))
    return HttpResponse(status, (*about, ("Connection", "close")), body)


def framework_body(status: int, now_us: int, utc_as: str = "Z") -> dict[str, Any]:
    """Spring's own error body (§0.1)."""
    moment = datetime.fromtimestamp(now_us // US_PER_MS / 1000, tz=UTC)
    stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", utc_as)
    return {"timestamp": stamp, "status": status, "error": HTTPStatus(status).phrase}


def _own(error: HawkbitError, call: Call) -> Rendered:
    """hawkBit's body; a caller that accepts no form of it is answered by the framework."""
    accept = call.accept
    content_type = negotiate(accept, ERROR_TYPES)
    if content_type is not None:
        return _written(error.status, error.body(), content_type, call.path)
    if error.code in OWN_WORDS or not _is_readable(accept):
        return _of_framework(error.status, call)
    return _of_framework(500, call)


def _of_framework(status: int, call: Call) -> Rendered:
    accept, now_us = call.accept, call.now_us
    audience = _audience(accept)
    if audience is PAGE:
        return status, (("Content-Type", "text/html;charset=UTF-8"), ("Content-Language", "en")), _page(status, now_us)
    content_type = None if audience is STREAM else negotiate(accept, ERROR_TYPES)
    if content_type is None:
        return status, (), b""
    body = framework_body(status, now_us, call.traits.utc_as)
    if call.traits.utc_as != "Z" and content_type.startswith(CBOR):
        body["timestamp"] = call.now_ms
    return _written(status, body, content_type, call.path)


def _written(status: int, document: dict[str, Any], content_type: str, path: str) -> Rendered:
    return status, (("Content-Type", content_type), *disposition(path)), encode(document, content_type)


def _audience(accept: str | None) -> MediaType | None:
    """Which of the framework's three error handlers answers: the one for pages, for streams, or (None) for the rest."""
    if not accept or not _is_readable(accept):
        return None
    for wanted in accepted(accept):
        if wanted.type == "*":
            return None
        for special in (PAGE, STREAM):
            if wanted.includes(special):
                return special
    return None


def _is_readable(accept: str | None) -> bool:
    try:
        accepted(accept)
    except NoMediaType:
        return False
    return True


def _page(status: int, now_us: int) -> bytes:
    moment = datetime.fromtimestamp(now_us // US_PER_S, tz=UTC).strftime("%a %b %d %H:%M:%S UTC %Y")
    phrase = html.escape(HTTPStatus(status).phrase)
    return (
        "<html><body><h1>Whitelabel Error Page</h1><p>This application has no explicit mapping for /error, so you are "
        f"seeing this as a fallback.</p><div id='created'>{moment}</div><div>There was an unexpected error "
        f"(type={phrase}, status={status}).</div></body></html>"
    ).encode()
