"""What a person finds who opens the server's address: on the way to the documentation of its API, which is not here."""

from __future__ import annotations

from typing import Final, NoReturn

from fleetrig.reference_server.platforms.hawkbit.request.routing import Options
from fleetrig.reference_server.platforms.hawkbit.state.errors import HawkbitError
from fleetrig.simulator.contract.http import HttpResponse

DOCUMENTATION: Final = "/swagger-ui/index.html"


def front_page(base: str) -> HttpResponse:
    """Scripts ask for it to see whether the server is up."""
    return HttpResponse(302, (("Location", base + DOCUMENTATION), ("Content-Language", "en")))


def refuse_front_page(method: str) -> NoReturn:
    """It can only be read. Raises Options, or 405."""
    if method == "OPTIONS":
        raise Options("GET,HEAD,OPTIONS")
    raise HawkbitError(405, framework=True, headers=(("Allow", "GET"),), secured=False, reason=f"{method} /: only GET")
