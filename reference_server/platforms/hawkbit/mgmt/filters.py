"""Stored target filters (§1.5). What is assigned to whatever matches them belongs to deployment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from fleetrig.reference_server.platforms.hawkbit.mgmt.tags import GREATEST_NAME, named_fields
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.documents import audit
from fleetrig.reference_server.platforms.hawkbit.request.fields import as_object, text
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.scheduling import auto_assignment_store
from fleetrig.reference_server.platforms.hawkbit.search.listing import page, with_moments
from fleetrig.reference_server.platforms.hawkbit.search.rsql_fields import Field, Fields
from fleetrig.reference_server.platforms.hawkbit.search.rsql_match import compiled
from fleetrig.reference_server.platforms.hawkbit.search.target_fields import target_fields
from fleetrig.reference_server.platforms.hawkbit.state import rules, software
from fleetrig.reference_server.platforms.hawkbit.state.auto_assignment_records import AutoAssignment
from fleetrig.reference_server.platforms.hawkbit.state.context import need
from fleetrig.reference_server.platforms.hawkbit.state.errors import already_exists, violations
from fleetrig.reference_server.platforms.hawkbit.state.records import TARGET_FILTER, TargetFilter
from fleetrig.reference_server.platforms.hawkbit.state.rules import TextRule

GREATEST_QUERY: Final = 1024
TEXTS: Final = (TextRule("name", 1, GREATEST_NAME), TextRule("query", 1, GREATEST_QUERY))
NEVER: Final = Field(lambda one, look: None)
"""What a filter assigns stands apart from it by now: a search by it finds nothing."""
FILTER_FIELDS: Final = Fields(
    {
        **named_fields().fields,
        "autoAssignDistributionSet.name": NEVER,
        "autoAssignDistributionSet.version": NEVER,
    }
)


def create_filter(call: Call) -> Reply:
    """One object, not an array."""
    body = as_object(call.json)
    given = {"name": text(body, "name"), "query": text(body, "query")}
    if broken := rules.broken_texts("create.create", TEXTS, given):
        raise violations(broken)
    if given["query"] is not None:
        compiled(with_moments(call, given["query"]), target_fields(call.traits))
    name, query = (rules.trimmed(given[part]) for part in ("name", "query"))
    empty = [f"{part} must not be empty." for part, value in (("name", name), ("query", query)) if not value]
    if empty:
        raise violations(empty)
    _check_free(call, name)
    target_filter = TargetFilter(
        id=call.repo.store.next_id(TARGET_FILTER.name),
        name=name,
        query=query,
        created_by=call.user,
        created_at_ms=call.now_ms,
        modified_by=call.user,
        modified_at_ms=call.now_ms,
    )
    call.repo.store.put(TARGET_FILTER, call.tenant, target_filter)
    return Reply(201, full_filter_document(call, target_filter), changed="target filter created")


def read_filters(call: Call) -> Reply:
    """`total` counts all filters, whatever is searched for: the real server does so."""
    full = call.query.get("representation", "").lower() == "full"
    filters = call.repo.store.scan(TARGET_FILTER, call.tenant)
    reply = page(call, filters, FILTER_FIELDS, lambda one: filter_document(call, one, full=full))
    reply.body["total"] = call.repo.store.count(TARGET_FILTER, call.tenant)
    return reply


def read_filter(call: Call, filter_id: int) -> Reply:
    return Reply(body=full_filter_document(call, need_filter(call, filter_id), full=True))


def update_filter(call: Call, filter_id: int) -> Reply:
    call.need("READ_TARGET")
    body = as_object(call.json)
    name, query = text(body, "name"), text(body, "query")
    if broken := rules.broken_texts("update.update", TEXTS, {"name": name, "query": query}):
        raise violations(broken)
    if query is not None:
        compiled(with_moments(call, query), target_fields(call.traits))
    target_filter = need_filter(call, filter_id)
    if name is not None and name != target_filter.name:
        _check_free(call, name)
    changed = replace(target_filter, name=name or target_filter.name, query=query or target_filter.query)
    auto_assignment_store.follow_filter(call, target_filter, changed)
    if changed != target_filter:
        changed = replace(changed, modified_by=call.user, modified_at_ms=call.now_ms)
        call.repo.store.put(TARGET_FILTER, call.tenant, changed)
    return Reply(body=full_filter_document(call, changed), changed="target filter changed")


def delete_filter(call: Call, filter_id: int) -> Reply:
    one = auto_assignment_store.linked(call, need_filter(call, filter_id))
    if one is not None:
        auto_assignment_store.delete(call, one)
    call.repo.store.delete(TARGET_FILTER, call.tenant, filter_id)
    return Reply(call.done_status, changed="target filter deleted")


def need_filter(call: Call, filter_id: int) -> TargetFilter:
    return need(call, TARGET_FILTER, filter_id, "TargetFilterQuery")


def full_filter_document(call: Call, target_filter: TargetFilter, *, full: bool = False) -> dict[str, Any]:
    """As in single answers: with the link to its automatic assignment."""
    document = filter_document(call, target_filter, full=full)
    document["_links"]["autoAssignDS"] = {"href": f"{_url(call, target_filter)}/autoAssignDS"}
    return document


def filter_document(call: Call, target_filter: TargetFilter, *, full: bool = False) -> dict[str, Any]:
    """Unlike elsewhere, absent fields are written as null (S137)."""
    one = auto_assignment_store.linked(call, target_filter)
    return {
        **audit(target_filter),
        "id": target_filter.id,
        "name": target_filter.name,
        "query": target_filter.query,
        "autoAssignDistributionSet": None if one is None else one.set_id,
        "autoAssignActionType": None if one is None else one.action_type,
        "autoAssignWeight": None if one is None else one.weight,
        "confirmationRequired": None if one is None or not call.config.confirmation_on else one.confirmation_required,
        "_links": {"self": {"href": _url(call, target_filter)}, **(_set_link(call, one) if full and one else {})},
    }


def _set_link(call: Call, one: AutoAssignment) -> dict[str, Any]:
    """A search for the set that is assigned, in full representations."""
    record = software.need_set(call, one.set_id)
    query = quote(f"name=={record.name};version=={record.version}", safe="")
    return {"DS": {"href": f"{call.base}/rest/v1/distributionsets?q={query}&offset=0&limit=50"}}


def _url(call: Call, target_filter: TargetFilter) -> str:
    return f"{call.base}/rest/v1/targetfilters/{target_filter.id}"


def _check_free(call: Call, name: str) -> None:
    if call.repo.store.count(TARGET_FILTER, call.tenant, "name", name):
        raise already_exists(f"there is a target filter {name} already")
