"""`/targetfilters/{id}/autoAssignDS`: what a filter assigns by itself (§1.5)."""

from __future__ import annotations

from dataclasses import replace

from reference_server.platforms.hawkbit import auto_assignment, fields, software
from reference_server.platforms.hawkbit.action_records import DEFAULT_WEIGHT, ForceType
from reference_server.platforms.hawkbit.call import Call
from reference_server.platforms.hawkbit.context import Scheduled
from reference_server.platforms.hawkbit.errors import not_readable, quota, violations
from reference_server.platforms.hawkbit.mgmt_assignment import GREATEST_WEIGHT, force_type
from reference_server.platforms.hawkbit.mgmt_filters import full_filter_document, need_filter
from reference_server.platforms.hawkbit.records import TARGET, TARGET_FILTER, TargetFilter
from reference_server.platforms.hawkbit.replies import Reply
from reference_server.platforms.hawkbit.software_views import set_document
from reference_server.platforms.hawkbit.target_fields import Look


def read(call: Call, filter_id: int) -> Reply:
    """204 when nothing is assigned."""
    one = need_filter(call, filter_id)
    if one.set_id is None:
        return Reply(204)
    return Reply(body=set_document(call, software.need_set(call, one.set_id), single=True))


def switch_on(call: Call, filter_id: int) -> Reply:
    """`POST {"id","type"?,"weight"?,"confirmationRequired"?}`. Locks the set. Raises 400, 404, 429."""
    body = fields.as_object(call.json)
    set_id, weight = fields.integer(body, "id"), fields.integer(body, "weight")
    if set_id is None:
        raise not_readable("expected the id of a distribution set")
    if weight is not None and not 0 <= weight <= GREATEST_WEIGHT:
        raise violations([f"weight must be between 0 and {GREATEST_WEIGHT}."])
    one = need_filter(call, filter_id)
    record = software.need_complete_set(call, set_id)
    confirmation = fields.boolean(body, "confirmationRequired")
    changed = replace(
        one,
        set_id=set_id,
        action_type=(force_type(body, "type") or ForceType.FORCED).value,
        weight=DEFAULT_WEIGHT if weight is None else weight,
        confirmation_required=call.config.confirmation_on if confirmation is None else confirmation,
        modified_by=call.user,
        modified_at_ms=call.now_ms,
    )
    _check_quota(call, changed)
    if call.config.values["implicit.lock.enabled"]:
        software.lock(call, record)
    call.repo.store.put(TARGET_FILTER, call.tenant, changed)
    return Reply(body=full_filter_document(call, changed), changed=f"filter {filter_id} assigns set {set_id}")


def switch_off(call: Call, filter_id: int) -> Reply:
    one = need_filter(call, filter_id)
    changed = replace(
        one, set_id=None, action_type=None, weight=None, confirmation_required=None,
        modified_by=call.user, modified_at_ms=call.now_ms,
    )  # fmt: skip
    call.repo.store.put(TARGET_FILTER, call.tenant, changed)
    return Reply(204, changed=f"filter {filter_id} assigns nothing")


def _check_quota(call: Call, one: TargetFilter) -> None:
    """Raises 429 when more targets match than one automatic assignment may have."""
    ctx = Scheduled(call.repo, call.tenant, call.user, call.now_us)
    match, look = auto_assignment.matcher(ctx, one.query), Look(call.repo, call.tenant)
    count = sum(1 for target in call.repo.store.scan(TARGET, call.tenant) if match(target, look))
    most = call.settings.quotas.targets_per_auto_assignment
    if count > most:
        raise quota(count, "Target", "AutoAssignment", one.id, most)
