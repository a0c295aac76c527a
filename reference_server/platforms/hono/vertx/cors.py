"""Requests of browsers from other origins, as Vert.x Web's handler answers them (spec 1.0)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from fleetrig.reference_server.platform import HttpAnswer
from fleetrig.reference_server.platforms.hono.vertx.pages import error_response
from fleetrig.simulator.contract.http import Headers, HttpRequest, HttpResponse

REJECTED: Final = "CORS Rejected - Invalid origin"
ANYWHERE: Final = "*"


@dataclass(frozen=True, slots=True)
class CorsRoute:
    """What browsers are told of a route: methods, headers of requests, and headers of answers that a page may read."""

    methods: str
    headers: str
    exposed: str = ""


@dataclass(frozen=True, slots=True)
class CorsAnswer:
    """What is added to the answer, or the answer itself."""

    headers: Headers = ()
    ends: HttpAnswer | None = None


class CorsRules:
    """`allowed_origin` is a regular expression, or `*`."""

    def __init__(self, allowed_origin: str) -> None:
        self._is_anywhere = allowed_origin == ANYWHERE
        self._allowed = re.compile(".*" if allowed_origin == ANYWHERE else allowed_origin)

    def answer(self, request: HttpRequest, route: CorsRoute) -> CorsAnswer:
        origin = request.header("origin")
        if origin is None:
            return CorsAnswer()
        if self._allowed.fullmatch(origin) is None:
            why = f"a browser on a page of {origin[:100]!r}: only {self._allowed.pattern} may call (corsAllowedOrigin)"
            return CorsAnswer(ends=HttpAnswer(error_response(403, REJECTED), why))
        own = ("access-control-allow-origin", ANYWHERE if self._is_anywhere else origin)
        if request.method == "OPTIONS" and request.header("access-control-request-method") is not None:
            told = (
                own,
                ("access-control-allow-methods", route.methods),
                ("access-control-allow-headers", route.headers),
            )
            return CorsAnswer(ends=HttpAnswer(HttpResponse(204, told)))
        exposed = (("access-control-expose-headers", route.exposed),) if route.exposed else ()
        return CorsAnswer((own, *exposed))


def with_headers(answer: HttpAnswer, headers: Headers) -> HttpAnswer:
    if not headers:
        return answer
    return replace(answer, response=replace(answer.response, headers=(*answer.response.headers, *headers)))
