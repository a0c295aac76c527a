"""What a handler answers, as bytes on the wire: HAL/JSON/CBOR, ETag, headers (§0)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import cbor2

from fleetrig.simulator.contract.http import Body, Headers, HttpResponse, body_length

T = TypeVar("T")

HAL: Final = "application/hal+json"
JSON: Final = "application/json"
CBOR: Final = "application/cbor"
MGMT_TYPES: Final = (HAL, JSON)
DDI_TYPES: Final = (HAL, JSON, CBOR)

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
    is_tagged: bool = True
    """False for a document without an ETag: everything below `softwaremodules/{id}/artifacts`."""


Steps = Generator[None, None, Reply]
"""A reply that takes long to make: each step takes a moment, and devices are served in between."""


def finished(steps: Generator[None, None, T]) -> T:
    """What they come to, without giving way."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            made: T = end.value
            return made


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
    if method == "GET" and 200 <= reply.status < 300 and reply.is_tagged:
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


def disposition(path: str) -> Headers:
    """`Content-Disposition` for a last path segment with an extension that a browser might run (S117, S122, S127)."""
    name = path[path.rfind("/") + 1 :]
    dot = name.rfind(".")
    if dot < 0 or dot == len(name) - 1 or SAFE_EXTENSION.fullmatch(name, dot + 1):
        return ()
    return (("Content-Disposition", "inline;filename=f.txt"),)


LINKS: Final = '"_links":'
SOME_LINKS: Final = '"_links":{"'
"""How links that are not empty begin. Inside of a text in JSON its quotes would be escaped."""
_to_json: Final = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


def encode(document: Any, content_type: str) -> bytes:
    """A document in the negotiated type."""
    if content_type.startswith(CBOR):
        return cbor2.dumps(_with_link_arrays(document))
    text = _to_json(document)
    if text.count(LINKS) != text.count(SOME_LINKS):
        text = _to_json(_without_empty_links(document))
    return text.encode("utf-8", "replace")


def _without_empty_links(document: Any) -> Any:
    if type(document) is not dict:
        return document
    kept: dict[str, Any] = {}
    for key, value in document.items():
        if type(value) is dict:
            value = _without_empty_links(value)
        if value or key != "_links":
            kept[key] = value
    return kept


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
