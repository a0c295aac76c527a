"""What a person finds who opens the server's address: on the way to the documentation of its API, which is not here."""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.contract.http import HttpResponse

DOCUMENTATION: Final = "/swagger-ui/index.html"


def front_page(base: str) -> HttpResponse:
    """Scripts ask for it to see whether the server is up."""
    return HttpResponse(302, (("Location", base + DOCUMENTATION), ("Content-Language", "en")))
