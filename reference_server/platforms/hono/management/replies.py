"""Answers of the management API as bytes on the wire (spec 1.0)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fleetrig.reference_server.platforms.hono.state.errors import NO_TEXT
from fleetrig.simulator.contract.http import Headers, HttpResponse

JSON: Final = "application/json; charset=utf-8"
NO_CONTENT: Final = 204
NO_PAGE: Final = HttpResponse(
    404, (("Content-Type", "text/html; charset=utf-8"),), b"<html><body><h1>Resource not found</h1></body></html>"
)
"""What a path without a route is answered."""

_encoded: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers."""

    status: int = 200
    document: Any = None
    """None with status 204 only."""
    version: str = ""
    """The ETag: the version as it is, without quotes."""
    location: str = ""
    device: str = ""
    """The device concerned, for the trace."""
    changed: str = ""
    """What changed in the registry, for the trace."""


def respond(reply: Reply) -> HttpResponse:
    """A 204 says that it is JSON, too."""
    headers: Headers = (("Content-Type", JSON),)
    if reply.version:
        headers = (("ETag", reply.version), *headers)
    if reply.location:
        headers = (*headers, ("Location", reply.location))
    body = b"" if reply.status == NO_CONTENT else encoded(reply.document)
    return HttpResponse(reply.status, headers, body)


def error_response(status: int, error: str, headers: Headers = ()) -> HttpResponse:
    return HttpResponse(status, (*headers, ("Content-Type", JSON)), encoded({"error": error or NO_TEXT}))


def encoded(document: Mapping[str, Any] | Any) -> bytes:
    """A document as the server writes it; half a character becomes an escape."""
    return _encoded(document).encode("utf-8", "backslashreplace")
