"""What Vert.x does by itself in front of the API: answers to what is no request, and when it closes connections."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.http_container import FRAMING_IN_DOUBT
from fleetrig.reference_server.platforms.hono.state.errors import NO_TEXT
from fleetrig.reference_server.platforms.hono.vertx.pages import error_response
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse

CLOSES_AFTER: Final = FRAMING_IN_DOUBT | {400}
TOLD_BY_ROUTES: Final = frozenset({413, 417})
INTERNAL_ERROR: Final = 500


def container_page(status: int) -> HttpResponse:
    """Vert.x answers what it cannot read with the status alone; what a route refuses is told as JSON."""
    return error_response(status, NO_TEXT) if status in TOLD_BY_ROUTES else HttpResponse(status)


def failure_page(request: HttpRequest, now_us: int) -> HttpResponse:
    """The database has failed."""
    return error_response(INTERNAL_ERROR, "Internal Server Error")
