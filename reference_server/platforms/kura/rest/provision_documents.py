"""Provision requests as documents, in JSON and XML (spec 1.5): JSON has dates in ms, XML as dateTime.

Names and namespace are the vendor's (public). Not public, and ours: the root element of a list in XML,
`provisionRequestListResult`, and the members of an attachment: `type` (CONFIGURATION, BUNDLE), `name`, `version`,
`uri`, `content` in Base64.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fleetrig.reference_server.platforms.kura.rest.call import Call, unreadable
from fleetrig.reference_server.platforms.kura.rest.replies import date
from fleetrig.reference_server.platforms.kura.rest.xml_refusals import XML_TYPES
from fleetrig.reference_server.platforms.kura.safe_xml import BadXml, Element, read_xml, written_text
from fleetrig.reference_server.platforms.kura.state.provision_records import ProvisionJob, ProvisionRequest
from fleetrig.simulator.contract.clock import US_PER_MS

EDC: Final = "http://eurotech.com/edc/2.0"


DATES: Final = frozenset({"createdOn", "modifiedOn", "activatesOn", "expiresOn", "startOn"})
LISTS: Final = frozenset({"provisionAttachments", "provisionRequest"})
"""Members that XML repeats."""


def request_document(request: ProvisionRequest) -> dict[str, Any]:
    """With dates in ms."""
    shown = {
        "id": request.id,
        "accountId": request.scope_id,
        "createdOn": _ms(request.created_us),
        "createdBy": request.created_by,
        "modifiedOn": _ms(request.modified_us),
        "modifiedBy": request.modified_by,
        "activatesOn": _ms(request.activates_us),
        "expiresOn": _ms(request.expires_us),
        "status": request.status.value,
        "clientId": request.client_id,
        "activationKey": request.activation_key or None,
        "provisionUserId": request.provision_user_id,
        "provisionJob": _job_document(request, request.job),
        "optlock": request.optlock,
        "provisionSecureURL": request.provision_secure_url,
        "provisionedCredentialsTight": request.credentials_tight,
    }
    return _without_none(shown)


def in_xml(root: str, document: Mapping[str, Any]) -> bytes:
    """A document with dates in ms as XML."""
    body = _members_in_xml(document)
    return f'<?xml version="1.0" encoding="UTF-8"?><{root} xmlns="{EDC}">{body}</{root}>'.encode()


def read_document(call: Call, root: str) -> dict[str, Any]:
    """The body as members, from JSON or XML. Raises Refused."""
    if call.media_type not in XML_TYPES:
        return call.document
    try:
        element = read_xml(call.body)
    except BadXml as bad:
        raise unreadable(str(bad)) from None
    if element.name != root or element.namespace not in (EDC, ""):
        raise unreadable(f"expected the element {root} of the namespace {EDC}, got {element.name[:40]!r}")
    return _members_of(element)


def _job_document(request: ProvisionRequest, job: ProvisionJob) -> dict[str, Any]:
    shown = {
        "status": job.status.value,
        "id": job.id,
        "accountId": request.scope_id,
        "jobType": job.job_type,
        "displayName": job.display_name,
        "jobProperties": f"failure={job.failure}" if job.failure else None,
        "createdOn": _ms(job.created_us),
        "createdBy": job.created_by,
        "startOn": _ms(job.start_us),
        "retryMaxAttempts": job.retry_max_attempts,
        "retryCount": job.retry_count,
        "optlock": job.optlock,
    }
    return _without_none(shown)


def _members_in_xml(document: Mapping[str, Any]) -> str:
    return "".join(_member_in_xml(name, value) for name, value in document.items())


def _member_in_xml(name: str, value: Any) -> str:
    match value:
        case list():
            return "".join(_member_in_xml(name, one) for one in value)
        case dict():
            inside = _members_in_xml(value)
        case bool():
            inside = "true" if value else "false"
        case int() if name in DATES:
            inside = date(value * US_PER_MS) or ""
        case _:
            inside = written_text(str(value))
    return f"<{name}>{inside}</{name}>"


def _members_of(element: Element) -> dict[str, Any]:
    """Texts stay texts: the forms read numbers, dates and truth values from them."""
    found: dict[str, Any] = {}
    for child in element.children:
        value: Any = _members_of(child) if child.children else child.text.strip()
        if child.name in LISTS:
            found.setdefault(child.name, []).append(value)
        else:
            found[child.name] = value
    return found


def _ms(time_us: int | None) -> int | None:
    return None if time_us is None else time_us // US_PER_MS


def _without_none(shown: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shown.items() if value is not None}
