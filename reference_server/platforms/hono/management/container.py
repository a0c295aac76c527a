"""What Vert.x does by itself in front of the API: answers to what is no request, and when it closes connections."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.http_container import FRAMING_IN_DOUBT
from fleetrig.reference_server.platforms.hono.management.replies import error_response
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse

CLOSES_AFTER: Final = FRAMING_IN_DOUBT | {400}
INTERNAL_ERROR: Final = 500


def container_page(status: int) -> HttpResponse:
    """Vert.x answers what it cannot read with the status alone."""
    return HttpResponse(status)


def failure_page(request: HttpRequest, now_us: int) -> HttpResponse:
    """The database has failed."""
    return error_response(INTERNAL_ERROR, "Internal Server Error")
