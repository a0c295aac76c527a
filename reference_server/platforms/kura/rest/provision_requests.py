"""Provision requests: `/v2/provisionRequests` (spec 1.5), in JSON and XML; and what is attached to them.

Read-one and delete exist by convention (inferred). How the vendor's console stops or resets a job is not public: here
the status of the job in an update asks for it, STOPPING (or SKIPPED before it has begun) and CREATED.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fleetrig.reference_server.platforms.kura.rest.call import Call
from fleetrig.reference_server.platforms.kura.rest.forms import inner, needed_whole, text, whole, word
from fleetrig.reference_server.platforms.kura.rest.provision_documents import (
    in_xml,
    read_document,
    request_document,
)
from fleetrig.reference_server.platforms.kura.rest.provision_filters import wanted_requests
from fleetrig.reference_server.platforms.kura.rest.provision_form import change_in, draft_in
from fleetrig.reference_server.platforms.kura.rest.replies import CREATED, LIMIT, Reply, done
from fleetrig.reference_server.platforms.kura.rest.scopes import account_of
from fleetrig.reference_server.platforms.kura.rest.xml_refusals import XML, wants_xml
from fleetrig.reference_server.platforms.kura.state.attachments import attachment_with
from fleetrig.reference_server.platforms.kura.state.errors import Refused, illegal, missing
from fleetrig.reference_server.platforms.kura.state.permissions import check_permitted
from fleetrig.reference_server.platforms.kura.state.provision_jobs import job_step, reset_job, stop_job
from fleetrig.reference_server.platforms.kura.state.provision_records import JobStatus, ProvisionJob, ProvisionRequest
from fleetrig.reference_server.platforms.kura.state.provision_requests import (
    create_request,
    delete_request,
    request_by_id,
    update_request,
)
from fleetrig.reference_server.platforms.kura.state.records import AccountRecord

DOMAIN: Final = "provision_request"
"""Of the permissions that it takes; this server's own word."""
CREATOR: Final = "provisionRequestCreator"
REQUEST: Final = "provisionRequest"
LIST: Final = "provisionRequestListResult"
BY_ADMIN: Final = (JobStatus.CREATED, JobStatus.SKIPPED, JobStatus.STOPPING, JobStatus.STOPPED)
"""What an update may say of a job's status, beside what it is."""


def list_all(call: Call) -> Reply:
    account = _account(call, call.parameter("accountId"), "read")
    found = wanted_requests(call, account.id)
    offset, limit = call.number("offset", 0), call.number("limit", LIMIT, least=1)
    page = found[offset : offset + limit]
    for one in page:
        call.registry.learn("activation-key", one.activation_key)
    document = {
        "limitExceeded": len(found) > offset + limit,
        "provisionRequest": [request_document(one) for one in page],
    }
    return _reply(call, LIST, document)


def create(call: Call) -> Reply:
    asked = read_document(call, CREATOR)
    call.registry.learn("password", _secret(asked))
    account = _account(call, text(asked, "accountId") or "", "write")
    draft = draft_in(asked, account.id)
    made = create_request(call.registry, draft, call.now_us, call.operator.id)
    changed = f"provision request for {made.client_id} created"
    return _reply(call, REQUEST, request_document(made), CREATED, changed=changed, device=made.client_id)


def read(call: Call) -> Reply:
    request = _wanted(call, "read")
    call.registry.learn("activation-key", request.activation_key)
    return _reply(call, REQUEST, request_document(request))


def update(call: Call) -> Reply:
    """PUT: with the optlock last read, or nothing is changed (S-26)."""
    request, asked = _wanted(call, "write"), read_document(call, REQUEST)
    call.registry.learn("activation-key", request.activation_key)
    change, optlock = change_in(asked, request), needed_whole(asked, "optlock")
    before = request.job
    changed = update_request(call.registry, request, change, optlock, call.now_us, call.operator.id)
    changed = _job_moved(call, asked, before, changed)
    steps = () if changed.job.status is before.status else (job_step(changed.job.status),)
    told = f"provision request for {changed.client_id} changed"
    return _reply(call, REQUEST, request_document(changed), changed=told, device=changed.client_id, steps=steps)


def delete(call: Call) -> Reply:
    request = _wanted(call, "delete")
    delete_request(call.registry, request)
    return done(f"provision request for {request.client_id} deleted", request.client_id)


def fetch_attachment(call: Call) -> Reply:
    """GET /attachments/{token}: the content of a bundle, for whoever has its token."""
    found = attachment_with(call.registry, call.values["token"])
    if found is None:
        raise Refused(404, "", "", "no attachment has this token: its request may have been deleted", type="")
    return Reply(raw=("application/octet-stream", found.content))


def _job_moved(
    call: Call, asked: Mapping[str, Any], before: ProvisionJob, request: ProvisionRequest
) -> ProvisionRequest:
    """What an update says of the job's status. Raises Refused.

    A job goes on by itself while an administrator looks at it: a status that was read with an older optlock is no wish.
    """
    told = inner(asked, "provisionJob")
    said, optlock = word(told, "status", tuple(JobStatus)), whole(told, "optlock")
    if said is None or said in (before.status, request.job.status):
        return request
    is_read_earlier = optlock is not None and optlock != before.optlock
    if is_read_earlier and (said not in BY_ADMIN or (said == JobStatus.CREATED and before.status.is_running)):
        return request
    if said not in BY_ADMIN:
        raise illegal("provisionJob.status", said, "an administrator stops a job (STOPPING) or resets it (CREATED)")
    if said == JobStatus.CREATED:
        return reset_job(call.registry, request, call.now_us)
    return stop_job(call.registry, request, call.now_us)


def _account(call: Call, account_id: str, action: str) -> AccountRecord:
    """The account of the request: the one that is named, or that of the user. Raises Refused."""
    account = account_of(call, account_id or call.operator.scope_id)
    check_permitted(call.registry, call.operator, DOMAIN, action, account.id)
    return account


def _wanted(call: Call, action: str) -> ProvisionRequest:
    wanted = call.values["request"]
    found = request_by_id(call.registry, wanted)
    if found is None:
        raise missing("provisionRequest", wanted)
    check_permitted(call.registry, call.operator, DOMAIN, action, found.scope_id)
    return found


def _secret(asked: Mapping[str, Any]) -> str | None:
    found = asked.get("provisionUserPassword")
    return found if isinstance(found, str) else None


def _reply(call: Call, root: str, document: dict[str, Any], status: int = 200, **told: Any) -> Reply:
    if wants_xml(call.request):
        return Reply(status=status, raw=(XML, in_xml(root, document)), **told)
    return Reply(document, status, **told)
