"""What a handler answers or refuses, as bytes on the wire: negotiation, HAL/JSON/CBOR, ETag, headers (§0)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final

import cbor2

from reference_server.platforms.hawkbit.errors import HawkbitError
from simulator.contract.clock import US_PER_MS
from simulator.contract.wire import Body, Headers, HttpResponse, body_length

HAL: Final = "application/hal+json"
JSON: Final = "application/json"
CBOR: Final = "application/cbor"
MGMT_TYPES: Final = (HAL, JSON)
DDI_TYPES: Final = (HAL, JSON, CBOR)
ERROR_TYPES: Final = (JSON, HAL, CBOR)

CACHE_HEADERS: Final = (
    ("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate"),
    ("Pragma", "no-cache"),
    ("Expires", "0"),
)
GUARD_HEADERS: Final = (("X-Content-Type-Options", "nosniff"), ("X-XSS-Protection", "0"), ("X-Frame-Options", "DENY"))
SECURITY_HEADERS: Final = GUARD_HEADERS + CACHE_HEADERS
ONLY_TLS: Final = ("Strict-Transport-Security", "max-age=31536000 ; includeSubDomains")

ENTITY_TAG: Final = re.compile(r'(?:W/)?("[^"]*")')
SAFE_EXTENSION: Final = re.compile(
    r"txt|text|yml|properties|csv|json|xml|atom|rss|png|jpe|jpeg|jpg|gif|wbmp|bmp|svg|mp3|mp4|wav|ogg|avi|mpe?g|ico|tiff?",
    re.IGNORECASE,
)
"""Spring's list, and what stands for pictures, sound and film; any other extension gets the header (§0.1, end)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers.

    `body` is a JSON document (None: no body). Documents carry their links as `_links: {rel: {"href": …}}`, an empty one
    too: rendering drops it in JSON and makes `links: [{"rel", "href"}]` of it in CBOR. `raw` is a body that is not a
    document (an artifact), with its own Content-Type and ETag in `headers`.
    """

    status: int = 200
    body: Any = None
    raw: Body | None = None
    headers: Headers = ()
    changed: str = ""
    """For the trace: what changed in the registry."""


def negotiate(accept: str | None, offered: tuple[str, ...]) -> str | None:
    """The Content-Type of the answer: of the acceptable ranges by quality, the first that fits the first offered type.

    None when nothing fits (406). A charset asked for is given back with the type, as Spring does.
    """
    return offered[0] if not accept or accept == "*/*" else _negotiate(accept, offered)


@lru_cache(maxsize=256)
def _negotiate(accept: str, offered: tuple[str, ...]) -> str | None:
    ranges = [r for part in accept.split(",") if (r := _media_range(part)) is not None]
    for _, _, name, parameters in sorted(ranges, key=lambda r: (-r[0], r[1])):
        for media_type in offered:
            if name == media_type:
                return media_type + parameters
            if name == "*/*" or (name.endswith("/*") and media_type.startswith(name[:-1])):
                return media_type
    return None


def _media_range(text: str) -> tuple[float, bool, str, str] | None:
    """(quality, has a wildcard, type/subtype, other parameters); None for what is no media range."""
    name, *parameters = (piece.strip() for piece in text.split(";"))
    if "/" not in name:
        return None
    quality, kept = 1.0, ""
    for parameter in parameters:
        if parameter.lower().startswith("q="):
            try:
                quality = float(parameter[2:])
            except ValueError:
                return None
        elif parameter:
            kept += ";" + parameter
    return quality, "*" in name, name.lower(), kept


def respond(
    reply: Reply, content_type: str | None, *, method: str, path: str, if_none_match: str | None = None
) -> HttpResponse:
    """The response of a handler that went well. `content_type` was negotiated before the handler ran."""
    if reply.raw is not None:
        return _raw(reply, method)
    headers = reply.headers
    body = b""
    if reply.body is not None and content_type is not None:
        body = encode(reply.body, content_type)
        headers += (("Content-Type", content_type), *disposition(path))
    if method == "HEAD":
        return HttpResponse(reply.status, (*headers, ("Content-Length", str(len(body))), *SECURITY_HEADERS))
    if method == "GET" and 200 <= reply.status < 300:
        etag = '"0' + hashlib.md5(body, usedforsecurity=False).hexdigest() + '"'
        if if_none_match is not None and etag in ENTITY_TAG.findall(if_none_match):
            return HttpResponse(304, (("ETag", etag), *disposition(path), *GUARD_HEADERS))
        headers += (("ETag", etag),)
    return HttpResponse(reply.status, headers + SECURITY_HEADERS, body)


def over_tls(response: HttpResponse) -> HttpResponse:
    """What came over HTTPS and got as far as the security headers is told to come that way again."""
    if GUARD_HEADERS[0] not in response.headers:
        return response
    return replace(response, headers=(*response.headers, ONLY_TLS))


def _raw(reply: Reply, method: str) -> HttpResponse:
    assert reply.raw is not None
    headers = _without(SECURITY_HEADERS, reply.headers) + reply.headers
    if method == "HEAD":
        length = ("Content-Length", str(body_length(reply.raw)))
        return HttpResponse(reply.status, (*headers, length))
    return HttpResponse(reply.status, headers, reply.raw)


def _without(headers: Headers, given: Headers) -> Headers:
    names = {name for name, _ in given}
    return tuple(header for header in headers if header[0] not in names)


def refusal(error: HawkbitError, *, accept: str | None, method: str, path: str, now_us: int) -> HttpResponse:
    """The answer of an error: body by `Accept`, a 400 closes the connection (§0)."""
    document = error.body() if error.java_class else framework_body(error.status, now_us) if error.framework else None
    content_type = None if document is None else negotiate(accept, ERROR_TYPES)
    headers = error.headers
    body = b""
    if document is not None and content_type is not None:
        body = encode(document, content_type)
        headers += (("Content-Type", content_type), *(disposition(path) if error.java_class else ()))
    if error.secured:
        headers += SECURITY_HEADERS
    if error.status == 400:
        headers += (("Connection", "close"),)
    if method == "HEAD":
        return HttpResponse(error.status, (*headers, ("Content-Length", str(len(body)))))
    return HttpResponse(error.status, headers, body)


def framework_body(status: int, now_us: int) -> dict[str, Any]:
    """Spring's own error body (§0.1)."""
    moment = datetime.fromtimestamp(now_us // US_PER_MS / 1000, tz=UTC)
    stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"timestamp": stamp, "status": status, "error": HTTPStatus(status).phrase}


def disposition(path: str) -> Headers:
    """`Content-Disposition` for a last path segment with an extension that a browser might run (S117, S122, S127)."""
    name = path[path.rfind("/") + 1 :]
    dot = name.rfind(".")
    if dot < 0 or dot == len(name) - 1 or SAFE_EXTENSION.fullmatch(name, dot + 1):
        return ()
    return (("Content-Disposition", "inline;filename=f.txt"),)


_to_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode(document: Any, content_type: str) -> bytes:
    """A document in the negotiated type."""
    if content_type.startswith(CBOR):
        return cbor2.dumps(_with_link_arrays(document))
    if type(document) is dict and document.get("_links") == {}:
        document = {key: value for key, value in document.items() if key != "_links"}
    return _to_json(document).encode("utf-8", "replace")


def _with_link_arrays(document: Any) -> Any:
    """CBOR has no HAL: every `_links` object becomes a `links` array (§0)."""
    match document:
        case list() | tuple():
            return [_with_link_arrays(item) for item in document]
        case Mapping():
            changed = {key: _with_link_arrays(value) for key, value in document.items() if key != "_links"}
            if "_links" in document:
                changed["links"] = [{"rel": rel, **link} for rel, link in document["_links"].items()]
            return changed
        case _:
            return document
