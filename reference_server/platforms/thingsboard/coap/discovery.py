"""What Californium serves by itself: its greeting at `/`, and the resources there are (RFC 6690)."""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.contract.coap import CoapOptions, CoapRequest, CoapResponse

ACCEPT: Final = 17
CONTENT_FORMAT: Final = 12
LINK_FORMAT: Final = 40
LINKS: Final = b"</api>,</api/v1>;obs,</efento>;obs,</efento/c>,</efento/i>,</efento/m>,</efento/t>,</fw>;obs,</sw>;obs"
RULE: Final = "*" * 64
GREETING: Final = "\n".join(
    [
        RULE,
        "CoAP RFC 7252",
        RULE,
        "This server is using the Eclipse Californium (Cf) CoAP framework",
        "published under EPL+EDL: http://www.eclipse.org/californium/",
        "",
        "(c) 2014-2023 Institute for Pervasive Computing, ETH Zurich",
        "              and others",
        RULE,
    ]
).encode()


def greeting() -> CoapResponse:
    return CoapResponse("2.05", GREETING, ((CONTENT_FORMAT, b""),))


def resources(request: CoapRequest) -> CoapResponse:
    """GET /.well-known/core; none has an attribute that a query could ask for. 4.06 for another `Accept`."""
    wanted = {int.from_bytes(value, "big") for number, value in request.options if number == ACCEPT}
    if wanted and wanted != {LINK_FORMAT}:
        return CoapResponse("4.06")
    form: CoapOptions = ((CONTENT_FORMAT, bytes([LINK_FORMAT])),)
    return CoapResponse("2.05", b"" if request.query else LINKS, form)
