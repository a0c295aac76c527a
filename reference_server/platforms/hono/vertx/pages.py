"""Answers that Vert.x Web gives by itself, and how errors are told as JSON (spec 1.0)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from fleetrig.reference_server.platforms.hono.state.errors import NO_TEXT
from fleetrig.simulator.contract.http import Headers, HttpRequest, HttpResponse

JSON: Final = "application/json; charset=utf-8"
NO_PAGE: Final = HttpResponse(
    404, (("Content-Type", "text/html; charset=utf-8"),), b"<html><body><h1>Resource not found</h1></body></html>"
)
"""What a path without a route is answered."""
BAD_REQUEST: Final = HttpResponse(400, body=b"Bad Request")
"""The query cannot be decoded, and stands beside variables of the path."""

_encoded: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def no_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(NO_PAGE.status) if request.method == "HEAD" else NO_PAGE


def wrong_method(request: HttpRequest, allow: str) -> HttpResponse:
    """A HEAD is not told what else there is."""
    return HttpResponse(405, () if request.method == "HEAD" else (("Allow", allow),))


def error_response(status: int, error: str, headers: Headers = ()) -> HttpResponse:
    return HttpResponse(status, (*headers, ("Content-Type", JSON)), encoded({"error": error or NO_TEXT}))


def encoded(document: Mapping[str, Any] | Any) -> bytes:
    """A document as the server writes it; half a character becomes an escape."""
    return _encoded(document).encode("utf-8", "backslashreplace")
