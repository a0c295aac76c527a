"""Answers of the CoAP adapter: codes, options and texts (CoapErrorResponse, CoapContext.respond)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from fleetrig.reference_server.platform import Reaction
from fleetrig.reference_server.platforms.hono.provisioning.service_errors import text_for_devices
from fleetrig.reference_server.platforms.hono.provisioning.sign_in import Denied
from fleetrig.simulator.contract.clock import US_PER_MS
from fleetrig.simulator.contract.coap import CoapOptions, CoapRequest, CoapResponse
from fleetrig.simulator.contract.envelope import Send
from fleetrig.simulator.contract.session import Session

CHANGED: Final = "2.04"
NOT_FOUND: Final = "4.04"
INTERNAL_ERROR: Final = "5.00"
KNOWN: Final = frozenset(
    {
        *("4.00", "4.01", "4.02", "4.03", "4.04", "4.05", "4.06", "4.08", "4.09", "4.12", "4.13", "4.15", "4.22"),
        *("4.29", "5.00", "5.01", "5.02", "5.03", "5.04", "5.05", "5.08"),
    }
)
"""Codes that the server's library has; a status for which there is none is an internal error."""
DETAILS: Final = 32
"""How many codes a class has."""

LOCATION_PATH: Final = 8
CONTENT_FORMAT: Final = 12
MAX_AGE: Final = 14
LOCATION_QUERY: Final = 20
SERVER_TIME: Final = 0xFDE8
"""The server's own option: a request that has it wants to know the time (TimeOption)."""
UNAVAILABLE: Final = 503
RETRY_AFTER_S: Final = 2


def unsigned(number: int) -> bytes:
    """In as few bytes as hold it; none for 0 (RFC 7252 §3.2)."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def code_of(status: int) -> str:
    """The code that says what an HTTP status says."""
    code = f"{status // 100}.{status % 100:02}"
    return code if status % 100 < DETAILS and code in KNOWN else INTERNAL_ERROR


def answer(
    session: Session,
    request: CoapRequest,
    response: CoapResponse,
    *,
    reason: str = "",
    device: str = "",
    changed: str = "",
    rollback: bool = False,
    steps: Sequence[str] = (),
) -> Reaction:
    """`response` needs no token."""
    sent = replace(response, token=request.token, confirmable=request.confirmable)
    return Reaction((Send(session.id, sent),), reason, device, changed, rollback, steps)


def refusal(
    session: Session, request: CoapRequest, denied: Denied, device: str = "", steps: Sequence[str] = ()
) -> Reaction:
    """With a text for people; who may come again learns when. `steps`: those before `denied`."""
    options: CoapOptions = ((CONTENT_FORMAT, b""),)
    if denied.status == UNAVAILABLE:
        options = (*options, (MAX_AGE, unsigned(RETRY_AFTER_S)))
    response = CoapResponse(code_of(denied.status), text_for_devices(denied).encode("utf-8", "replace"), options)
    return answer(
        session,
        request,
        response,
        reason=denied.reason,
        device=device,
        changed=denied.changed,
        rollback=denied.rollback,
        steps=(*steps, *denied.steps),
    )


def changed_options(request: CoapRequest, now_us: int) -> CoapOptions:
    """What every success has: the time, if it was asked for (ms since 1970)."""
    is_asked = any(number == SERVER_TIME for number, _ in request.options) or any(
        part.partition("=")[0] == "hono-time" for part in request.query.split("&")
    )
    return ((SERVER_TIME, unsigned(now_us // US_PER_MS)),) if is_asked else ()
