"""Which provision requests a list shows: of three kinds of filters one counts, by their priority (spec 1.5, S-27)."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.kura.rest.call import Call
from fleetrig.reference_server.platforms.kura.rest.forms import LAST_MS
from fleetrig.reference_server.platforms.kura.state.errors import illegal
from fleetrig.reference_server.platforms.kura.state.provision_records import JobStatus, ProvisionRequest
from fleetrig.reference_server.platforms.kura.state.provision_requests import requests_for, requests_of
from fleetrig.simulator.contract.clock import US_PER_MS

NOT_GIVEN: Final = 0


def wanted_requests(call: Call, scope_id: str) -> list[ProvisionRequest]:
    """Of one account, in the order in which they were made. Raises Refused.

    A period is given by `startDate` and `endDate` in ms, 0 for an open end: requests count that are active at some time
    in it. `statuses` takes the status of the job, as the vendor's description says (section 6, row 10).
    """
    start_ms, end_ms = _date_ms(call, "startDate"), _date_ms(call, "endDate")
    client_ids, statuses = set(_words(call, "clientIDs")), set(_words(call, "statuses"))
    unknown = statuses - set(JobStatus)
    if unknown:
        raise illegal("statuses", ", ".join(sorted(unknown))[:80], f"one of {', '.join(JobStatus)}")
    if client_ids and not (start_ms or end_ms):
        named = [one for client_id in client_ids for one in requests_for(call.registry, client_id)]
        return sorted((one for one in named if one.scope_id == scope_id), key=lambda one: (one.created_us, one.id))
    found = requests_of(call.registry, scope_id)
    if start_ms or end_ms:
        return [one for one in found if _is_active_within(one, start_ms * US_PER_MS, end_ms * US_PER_MS)]
    if statuses:
        return [one for one in found if one.job.status in statuses]
    return found


def _is_active_within(request: ProvisionRequest, start_us: int, end_us: int) -> bool:
    begins_us, ends_us = request.activates_us, request.expires_us
    has_begun = end_us == NOT_GIVEN or begins_us is None or begins_us <= end_us
    goes_on = ends_us is None or ends_us >= start_us
    return has_begun and goes_on


def _date_ms(call: Call, name: str) -> int:
    text = call.parameter(name) or "0"
    if not (text.isascii() and text.isdigit()) or len(text) > 15 or int(text) > LAST_MS:
        raise illegal(name, text[:40], "expected ms since the epoch, 0 for an open end")
    return int(text)


def _words(call: Call, name: str) -> list[str]:
    """Given several times, or with commas between them."""
    return [part for value in call.query.get(name, ()) for part in value.split(",") if part]
