"""Answers of the CoAP transport: codes, content formats, and why something was refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fleetrig.reference_server.platform import Reaction
from fleetrig.simulator.contract.coap import CoapOptions, CoapRequest, CoapResponse
from fleetrig.simulator.contract.envelope import Send
from fleetrig.simulator.contract.session import Session

CREATED: Final = "2.01"
DELETED: Final = "2.02"
VALID: Final = "2.03"
CONTENT: Final = "2.05"
BAD_REQUEST: Final = "4.00"
UNAUTHORIZED: Final = "4.01"
NOT_FOUND: Final = "4.04"
METHOD_NOT_ALLOWED: Final = "4.05"
INTERNAL_ERROR: Final = "5.00"

CONTENT_FORMAT: Final = 12
"""The option's number (RFC 7252 §5.10)."""
TEXT: Final = 0
JSON: Final = 50


def content_format(number: int) -> CoapOptions:
    """The option, in as few bytes as hold the number."""
    return ((CONTENT_FORMAT, number.to_bytes((number.bit_length() + 7) // 8, "big")),)


def asked_format(request: CoapRequest) -> int:
    """An answer with JSON has the format of its request, or that of JSON."""
    value = next((value for number, value in request.options if number == CONTENT_FORMAT), None)
    return JSON if value is None else int.from_bytes(value, "big")


def answer(
    session: Session,
    request: CoapRequest,
    response: CoapResponse,
    *,
    reason: str = "",
    device: str = "",
    changed: str = "",
    rollback: bool = False,
) -> Reaction:
    """`response` needs no token."""
    sent = replace(response, token=request.token, confirmable=request.confirmable)
    return Reaction((Send(session.id, sent),), reason, device, changed, rollback)


def refusal(session: Session, request: CoapRequest, code: str, reason: str, device: str = "") -> Reaction:
    """Without a word on the wire; nothing that was begun is kept."""
    return answer(session, request, CoapResponse(code), reason=reason, device=device, rollback=True)
