"""Who wants XML, and refusals in it."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platform import HttpAnswer
from fleetrig.reference_server.platforms.kura.rest.refusals import error_document
from fleetrig.reference_server.platforms.kura.safe_xml import written_text
from fleetrig.reference_server.platforms.kura.state.errors import Refused
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse

XML: Final = "application/xml"
XML_TYPES: Final = (XML, "text/xml")


def wants_xml(request: HttpRequest) -> bool:
    """By the first type of `Accept` that there is; who says nothing gets what he has sent, or JSON."""
    accept = request.header("accept") or ""
    for part in accept.split(","):
        wanted = part.partition(";")[0].strip().lower()
        if wanted in XML_TYPES:
            return True
        if wanted in ("application/json", "application/*"):
            return False
    sent = (request.header("content-type") or "").partition(";")[0].strip().lower()
    return sent in XML_TYPES


def refusal_in_xml(refused: Refused) -> HttpAnswer:
    """The same members as in JSON, but for those that have members of their own."""
    if not refused.type:
        return HttpAnswer(HttpResponse(refused.status), str(refused), rollback=True)
    document = error_document(refused)
    root = document.pop("type")
    members = "".join(
        f"<{name}>{written_text(str(value))}</{name}>"
        for name, value in document.items()
        if isinstance(value, str | int)
    )
    body = f'<?xml version="1.0" encoding="UTF-8"?><{root}>{members}</{root}>'.encode()
    return HttpAnswer(HttpResponse(refused.status, (("Content-Type", XML),), body), str(refused), rollback=True)
