"""`/distributionsettags`: tags of distribution sets, and the sets that carry them (§1.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.hawkbit.mgmt.software_rules import (
    TAG_RULES,
    Given,
    changes,
    check_requests,
    check_update,
    texts,
)
from fleetrig.reference_server.platforms.hawkbit.mgmt.software_views import set_document
from fleetrig.reference_server.platforms.hawkbit.mgmt.tags import TAGGED_SORTS
from fleetrig.reference_server.platforms.hawkbit.request import fields
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.documents import audit, link, without_nulls
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.search.listing import page
from fleetrig.reference_server.platforms.hawkbit.search.software_fields import SET_FIELDS, SET_TAG_FIELDS, SET_TAG_SORTS
from fleetrig.reference_server.platforms.hawkbit.state import rules, software
from fleetrig.reference_server.platforms.hawkbit.state.action_records import SET, SET_TAG, DistributionSet, SetTag
from fleetrig.reference_server.platforms.hawkbit.state.errors import (
    already_exists,
    not_all_found,
    not_found,
    not_readable,
    violations,
)

Change = Callable[[DistributionSet, int], DistributionSet]


def create(call: Call) -> Reply:
    """All or nothing. Raises 400, 409 for a name that is taken."""
    requests = [texts(body, TAG_RULES) for body in fields.as_new_objects(call.array)]
    check_requests(TAG_RULES, requests)
    tags = [_store(call, request) for request in requests]
    return Reply(201, [_document(call, tag) for tag in tags], changed="set tags created")


def listed(call: Call) -> Reply:
    tags = call.repo.store.scan(SET_TAG, call.tenant)
    return page(call, tags, SET_TAG_FIELDS, lambda tag: _document(call, tag), look=call, sorts=SET_TAG_SORTS)


def read(call: Call, tag_id: int) -> Reply:
    return Reply(body=_document(call, _need(call, tag_id), single=True))


def change(call: Call, tag_id: int) -> Reply:
    given = texts(fields.as_object(call.json), TAG_RULES)
    check_update(TAG_RULES, given)
    tag = _need(call, tag_id)
    changed = replace(tag, **changes(TAG_RULES, given))
    if changed.name != tag.name:
        _check_free(call, changed.name)
    if changed != tag:
        changed = replace(changed, modified_by=call.user, modified_at_ms=call.now_ms)
        call.repo.store.put(SET_TAG, call.tenant, changed)
    return Reply(body=_document(call, changed, single=True), changed=f"set tag {tag_id} changed")


def delete(call: Call, tag_id: int) -> Reply:
    """The sets lose it."""
    if call.repo.store.get(SET_TAG, call.tenant, tag_id) is None:
        raise not_all_found("DistributionSetTag", [tag_id], [])
    for record in call.repo.store.find(SET, call.tenant, "tag", tag_id):
        call.repo.store.put(SET, call.tenant, _without(record, tag_id))
    call.repo.store.delete(SET_TAG, call.tenant, tag_id)
    return Reply(call.done_status, changed=f"set tag {tag_id} deleted")


def tagged(call: Call, tag_id: int) -> Reply:
    """The sets with this tag; deleted ones too as long as there is no `q`."""
    _need(call, tag_id)
    sets = call.repo.store.find(SET, call.tenant, "tag", tag_id)
    if "q" in call.query:
        sets = [record for record in sets if not record.deleted]
    return page(call, sets, SET_FIELDS, lambda record: set_document(call, record), look=call, sorts=TAGGED_SORTS)


def assign_one(call: Call, tag_id: int, set_id: int) -> Reply:
    return _change_sets(call, tag_id, [set_id], _with)


def unassign_one(call: Call, tag_id: int, set_id: int) -> Reply:
    return _change_sets(call, tag_id, [set_id], _without)


def assign_many(call: Call, tag_id: int) -> Reply:
    return _change_sets(call, tag_id, _ids(call, "assignTag"), _with)


def unassign_many(call: Call, tag_id: int) -> Reply:
    """Other than elsewhere, a body of another type than JSON is one that cannot be read (400)."""
    if "json" not in call.headers.get("content-type", ""):
        raise not_readable("expected an array of set ids as application/json")
    return _change_sets(call, tag_id, _ids(call, "unassignTag"), _without)


def _change_sets(call: Call, tag_id: int, set_ids: list[int], change_one: Change) -> Reply:
    """All or nothing. Raises 404, also for a deleted set; one that is named twice counts as not found."""
    _need(call, tag_id)
    found = {set_id: call.repo.store.get(SET, call.tenant, set_id) for set_id in set_ids}
    sets = [record for record in found.values() if record is not None]
    if len(sets) < len(set_ids):
        missing = [set_id for set_id in set_ids if found[set_id] is None]
        raise not_found("DistributionSet", missing, shown="[" + ", ".join(map(str, missing)) + "]")
    for record in sets:
        if record.deleted:
            raise software.deleted("DistributionSet", record.id)
        changed = change_one(record, tag_id)
        if changed != record:
            changed = replace(changed, modified_by=call.user, modified_at_ms=call.now_ms)
            call.repo.store.put(SET, call.tenant, changed)
    return Reply(call.done_status, changed="set tags changed")


def _ids(call: Call, operation: str) -> list[int]:
    given = [fields.integer({"id": item}, "id") for item in fields.as_list(call.array)]
    if not given:
        raise violations([f"{operation}.ids must not be empty."])
    if None in given:
        raise not_readable("null in an array of set ids")
    return [set_id for set_id in given if set_id is not None]


def _with(record: DistributionSet, tag_id: int) -> DistributionSet:
    return record if tag_id in record.tag_ids else replace(record, tag_ids=(*record.tag_ids, tag_id))


def _without(record: DistributionSet, tag_id: int) -> DistributionSet:
    return replace(record, tag_ids=tuple(other for other in record.tag_ids if other != tag_id))


def _store(call: Call, request: Given) -> SetTag:
    tag = SetTag(
        **rules.as_stored(TAG_RULES, request), id=call.repo.store.next_id(SET_TAG.name), created_by=call.user,
        created_at_ms=call.now_ms, modified_by=call.user, modified_at_ms=call.now_ms,
    )  # fmt: skip
    _check_free(call, tag.name)
    call.repo.store.put(SET_TAG, call.tenant, tag)
    return tag


def _check_free(call: Call, name: str) -> None:
    if call.repo.store.count(SET_TAG, call.tenant, "name", name):
        raise already_exists(f"there is a distribution set tag {name} already")


def _need(call: Call, tag_id: int) -> SetTag:
    tag = call.repo.store.get(SET_TAG, call.tenant, tag_id)
    if tag is None:
        raise not_found("DistributionSetTag", tag_id)
    return tag


def _document(call: Call, tag: SetTag, *, single: bool = False) -> dict[str, Any]:
    path = f"/distributionsettags/{tag.id}"
    links = {"self": link(call, path)}
    if single:
        links["assignedDistributionSets"] = link(call, f"{path}/assigned?offset=0&limit=50")
    document = {
        **audit(tag),
        "id": tag.id,
        "name": tag.name,
        "description": tag.description,
        "colour": tag.colour,
        "_links": links,
    }
    return without_nulls(document)
