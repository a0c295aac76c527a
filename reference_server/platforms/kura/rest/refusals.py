"""Refusals on the wire, as Kapua's exception mappers write them (commons-rest/errors)."""

from __future__ import annotations

from typing import Any

from fleetrig.reference_server.platform import HttpAnswer
from fleetrig.reference_server.platforms.kura.rest.replies import json_response
from fleetrig.reference_server.platforms.kura.state.errors import STALE, LoginRefused, Refused
from fleetrig.simulator.contract.http import Headers, HttpResponse


def error_document(refused: Refused) -> dict[str, Any]:
    """The body of a refusal."""
    code = {"kapuaErrorCode": refused.code} if refused.code else {}
    return {
        "type": refused.type,
        "httpErrorCode": refused.status,
        "message": refused.error,
        **code,
        **refused.told,
    }


def refusal_answer(refused: Refused, *, is_v1: bool = True, rollback: bool = True) -> HttpAnswer:
    """`/v1` tells a stale optlock as a failure (KapuaExceptionMapper), `/v2` as a conflict (S-26)."""
    if refused.code == STALE and is_v1:
        refused = Refused(500, refused.code, refused.error, refused.reason)
    if not refused.type:
        return HttpAnswer(HttpResponse(refused.status), str(refused), rollback=rollback)
    return HttpAnswer(json_response(refused.status, error_document(refused)), str(refused), rollback=rollback)


def login_answer(refused: LoginRefused, headers: Headers = ()) -> HttpAnswer:
    """401 without a word (KapuaAuthenticationExceptionMapper); what was counted is kept."""
    return HttpAnswer(HttpResponse(401, headers), str(refused))
