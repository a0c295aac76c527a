"""What Californium serves by itself: the resources there are (RFC 6690, DiscoveryResource)."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from fleetrig.reference_server.platforms.hono.coap.answers import CONTENT_FORMAT, unsigned
from fleetrig.simulator.contract.coap import CoapRequest, CoapResponse

ACCEPT: Final = 17
LINK_FORMAT: Final = 40
TEXT: Final = 0
RESOURCES: Final = ("command_response", "cr", "e", "event", "t", "telemetry")


def resources(request: CoapRequest) -> CoapResponse:
    """GET /.well-known/core. No resource has an attribute but its path (`href`)."""
    wanted = {int.from_bytes(value, "big") for number, value in request.options if number == ACCEPT}
    if wanted and wanted != {LINK_FORMAT}:
        return CoapResponse("4.06")
    queries = [unquote(part) for part in request.query.split("&")] if request.query else []
    if len(queries) > 1:
        options = ((CONTENT_FORMAT, unsigned(TEXT)),)
        return CoapResponse("4.02", b"only one search query is supported!", options)
    links = [f"</{name}>" for name in RESOURCES if not queries or _matches(queries[0], f"/{name}")]
    return CoapResponse("2.05", ",".join(links).encode(), ((CONTENT_FORMAT, unsigned(LINK_FORMAT)),))


def _matches(query: str, path: str) -> bool:
    name, is_given, expected = query.partition("=")
    if name != "href" or not is_given:
        return False
    return path.startswith(expected[:-1]) if expected.endswith("*") else path == expected
