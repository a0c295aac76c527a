"""Stored target filters (§1.5). What is assigned to whatever matches them belongs to deployment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from reference_server.platforms.hawkbit import rules
from reference_server.platforms.hawkbit.call import Call
from reference_server.platforms.hawkbit.documents import audit
from reference_server.platforms.hawkbit.errors import already_exists, not_found, violations
from reference_server.platforms.hawkbit.fields import as_object, text
from reference_server.platforms.hawkbit.listing import page, with_moments
from reference_server.platforms.hawkbit.mgmt_tags import GREATEST_NAME, named_fields
from reference_server.platforms.hawkbit.records import TARGET_FILTER, TargetFilter
from reference_server.platforms.hawkbit.replies import Reply
from reference_server.platforms.hawkbit.rsql_match import compiled
from reference_server.platforms.hawkbit.target_fields import TARGET_FIELDS

GREATEST_QUERY: Final = 1024
FILTER_FIELDS: Final = named_fields()


def create_filter(call: Call) -> Reply:
    """One object, not an array."""
    body = as_object(call.json)
    name, query = text(body, "name"), text(body, "query")
    broken = [*rules.missing("name", name), *rules.missing("query", query), *_broken("create.create", name, query)]
    if broken:
        raise violations(broken)
    assert name is not None
    assert query is not None
    compiled(with_moments(call, query), TARGET_FIELDS)
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
    filters = call.repo.store.scan(TARGET_FILTER, call.tenant)
    return page(call, filters, FILTER_FIELDS, lambda target_filter: _document(call, target_filter))


def read_filter(call: Call, filter_id: int) -> Reply:
    return Reply(body=full_filter_document(call, need_filter(call, filter_id)))


def update_filter(call: Call, filter_id: int) -> Reply:
    body = as_object(call.json)
    name, query = text(body, "name"), text(body, "query")
    broken = _broken("update.update", name, query)
    if broken:
        raise violations(broken)
    if query is not None:
        compiled(with_moments(call, query), TARGET_FIELDS)
    target_filter = need_filter(call, filter_id)
    if name is not None and name != target_filter.name:
        _check_free(call, name)
    changed = replace(target_filter, name=name or target_filter.name, query=query or target_filter.query)
    changed = replace(changed, modified_by=call.user, modified_at_ms=call.now_ms)
    call.repo.store.put(TARGET_FILTER, call.tenant, changed)
    return Reply(body=full_filter_document(call, changed), changed="target filter changed")


def delete_filter(call: Call, filter_id: int) -> Reply:
    need_filter(call, filter_id)
    call.repo.store.delete(TARGET_FILTER, call.tenant, filter_id)
    return Reply(call.done_status, changed="target filter deleted")


def need_filter(call: Call, filter_id: int) -> TargetFilter:
    target_filter = call.repo.store.get(TARGET_FILTER, call.tenant, filter_id)
    if target_filter is None:
        raise not_found("TargetFilterQuery", filter_id)
    return target_filter


def full_filter_document(call: Call, target_filter: TargetFilter) -> dict[str, Any]:
    """As in single answers: with the link to its automatic assignment."""
    document = _document(call, target_filter)
    document["_links"]["autoAssignDS"] = {"href": f"{_url(call, target_filter)}/autoAssignDS"}
    return document


def _document(call: Call, target_filter: TargetFilter) -> dict[str, Any]:
    """Unlike elsewhere, absent fields are written as null (S137)."""
    shows_confirmation = target_filter.set_id is not None and call.config.confirmation_on
    return {
        **audit(target_filter),
        "id": target_filter.id,
        "name": target_filter.name,
        "query": target_filter.query,
        "autoAssignDistributionSet": target_filter.set_id,
        "autoAssignActionType": target_filter.action_type,
        "autoAssignWeight": target_filter.weight,
        "confirmationRequired": target_filter.confirmation_required if shows_confirmation else None,
        "_links": {"self": {"href": _url(call, target_filter)}},
    }


def _url(call: Call, target_filter: TargetFilter) -> str:
    return f"{call.base}/rest/v1/targetfilters/{target_filter.id}"


def _broken(path: str, name: str | None, query: str | None) -> list[str]:
    return [
        *rules.broken(f"{path}.name", name, 1, GREATEST_NAME),
        *rules.broken(f"{path}.query", query, 1, GREATEST_QUERY),
    ]


def _check_free(call: Call, name: str) -> None:
    if call.repo.store.count(TARGET_FILTER, call.tenant, "name", name):
        raise already_exists(f"there is a target filter {name} already")
