"""Refusals over HTTP, and the one document that most of them are told in (section 4, "Error body everywhere")."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from fleetrig.reference_server.platforms.thingsboard.state.errors import ErrorCode, RuleBroken
from fleetrig.simulator.contract.clock import US_PER_MS
from fleetrig.simulator.contract.http import Headers, HttpResponse

JSON: Final = "application/json"
TOMCAT_CHARSET: Final = "ISO-8859-1"
"""Of what is written without naming a charset; what it does not have becomes a question mark."""
DENIED: Final = "You don't have permission to perform this operation!"

_encoded: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


CODE_OF_STATUS: Final[Mapping[int, ErrorCode]] = MappingProxyType(
    {
        400: ErrorCode.BAD_REQUEST,
        401: ErrorCode.AUTHENTICATION,
        403: ErrorCode.PERMISSION_DENIED,
        404: ErrorCode.NOT_FOUND,
        405: ErrorCode.BAD_REQUEST,
        406: ErrorCode.BAD_REQUEST,
        409: ErrorCode.VERSION_CONFLICT,
        415: ErrorCode.BAD_REQUEST,
    }
)
"""What the framework's own refusals are told with; all else is GENERAL."""


class HttpRefusal(Exception):
    """A request is refused. `message` goes over the wire, `reason` to the trace only.

    `document` is False where the real server says the message as it stands, or nothing if there is none; `told` is what
    the document says beside its usual members. `framework`: it is Spring's own, whose document has another order and no
    charset; else the server writes it as Tomcat has it, in ISO-8859-1.
    """

    def __init__(
        self,
        status: int,
        message: str = "",
        *,
        reason: str,
        code: ErrorCode | None = None,
        headers: Headers = (),
        document: bool = True,
        told: Mapping[str, Any] = MappingProxyType({}),
        framework: bool = False,
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.message = message
        self.reason = reason
        self.code = code or CODE_OF_STATUS.get(status, ErrorCode.GENERAL)
        self.headers = headers
        self.document = document
        self.told = told
        self.framework = framework


def invalid(message: str, *, reason: str = "") -> HttpRefusal:
    """What the operator has sent cannot be kept (DataValidationException): 400, code 31."""
    return HttpRefusal(400, message, reason=reason or message)


def missing(message: str = "Requested item wasn't found!", *, reason: str) -> HttpRefusal:
    """There is no such thing: 404, code 32."""
    return HttpRefusal(404, message, reason=reason)


def denied(reason: str) -> HttpRefusal:
    """The account may not do that: 403, code 20."""
    return HttpRefusal(403, DENIED, reason=reason)


def broken_rule(broken: RuleBroken) -> HttpRefusal:
    """What the registry refuses, as an operator is told it."""
    return HttpRefusal(broken.status, broken.message, reason=broken.message, code=broken.code, told=broken.told)


def plain(status: int, text: str = "", *, reason: str, headers: Headers = ()) -> HttpRefusal:
    """A refusal without the document: a text, or nothing."""
    return HttpRefusal(status, text, reason=reason, headers=headers, document=False)


def crash(message: str, *, reason: str) -> HttpRefusal:
    """What the operator's API has no code of its own for, a body that it cannot read among them: 500, code 2."""
    return HttpRefusal(500, message, reason=reason)


def refusal_response(refusal: HttpRefusal, now_us: int) -> HttpResponse:
    """A refusal on the wire."""
    if not refusal.document:
        return _plain_response(refusal)
    said = {"message": refusal.message, "errorCode": int(refusal.code)}
    status, time = {"status": refusal.status}, {"timestamp": now_us // US_PER_MS}
    if refusal.framework:
        return HttpResponse(refusal.status, (*refusal.headers, ("Content-Type", JSON)), compact(said | status | time))
    text = _encoded(status | said | time | dict(refusal.told))
    content_type = ("Content-Type", f"{JSON};charset={TOMCAT_CHARSET}")
    return HttpResponse(refusal.status, (*refusal.headers, content_type), text.encode(TOMCAT_CHARSET, "replace"))


def compact(document: Any) -> bytes:
    """A document as the server writes it."""
    return _encoded(document).encode("utf-8", "replace")


def _plain_response(refusal: HttpRefusal) -> HttpResponse:
    if not refusal.message:
        return HttpResponse(refusal.status, refusal.headers)
    content_type = ("Content-Type", "text/plain;charset=UTF-8")
    return HttpResponse(refusal.status, (*refusal.headers, content_type), refusal.message.encode("utf-8", "replace"))
