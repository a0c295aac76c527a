"""Target types, and which kinds of distribution sets fit them (§1.5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.mgmt.software_views import set_type_document
from fleetrig.reference_server.platforms.hawkbit.mgmt.tags import DESCRIBED, GREATEST_NAME, named_fields
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.documents import audit
from fleetrig.reference_server.platforms.hawkbit.request.fields import as_new_objects, as_object, integer, text
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.search.listing import page
from fleetrig.reference_server.platforms.hawkbit.state import rules
from fleetrig.reference_server.platforms.hawkbit.state.action_records import SET_TYPE
from fleetrig.reference_server.platforms.hawkbit.state.errors import (
    REPOSITORY,
    HawkbitError,
    already_exists,
    not_all_found,
    not_found,
    quota,
    violations,
)
from fleetrig.reference_server.platforms.hawkbit.state.records import TARGET, TARGET_TYPE, TargetType
from fleetrig.reference_server.platforms.hawkbit.state.rules import TextRule

GREATEST_KEY: Final = 64
CHANGEABLE: Final = (TextRule("name", 1, GREATEST_NAME), *DESCRIBED)
TEXTS: Final = (TextRule("key", 1, GREATEST_KEY), *CHANGEABLE)
TYPE_FIELDS: Final = named_fields("key", "description")


def create_types(call: Call) -> Reply:
    """Key and name each default to the other; one of them must be there."""
    drafts = [_draft(call, entry) for entry in as_new_objects(call.array)]
    broken = [sentence for number, draft in enumerate(drafts)
              for sentence in rules.broken_texts(f"create.create[{number}]", TEXTS, draft)]  # fmt: skip
    if broken:
        raise violations(broken)
    created = [_create(call, draft) for draft in drafts]
    return Reply(201, [_document(call, target_type) for target_type in created], changed="target types created")


def read_types(call: Call) -> Reply:
    types = call.repo.store.scan(TARGET_TYPE, call.tenant)
    return page(call, types, TYPE_FIELDS, lambda target_type: _document(call, target_type))


def read_type(call: Call, type_id: int) -> Reply:
    return Reply(body=_full(call, _need(call, type_id)))


def update_type(call: Call, type_id: int) -> Reply:
    """The key never changes."""
    body = as_object(call.json)
    draft: dict[str, Any] = {rule.name: text(body, rule.name) for rule in CHANGEABLE}
    broken = rules.broken_texts("update.update", CHANGEABLE, draft)
    if broken:
        raise violations(broken)
    target_type = _need(call, type_id)
    stored = rules.as_stored(CHANGEABLE, draft)
    changed = replace(target_type, **{name: value for name, value in stored.items() if value is not None})
    if changed.name != target_type.name:
        _check_free(call, "name", changed.name)
    if changed != target_type:
        changed = _save(call, changed)
    return Reply(body=_full(call, changed), changed="target type changed")


def delete_type(call: Call, type_id: int) -> Reply:
    """409 while a target has it."""
    if call.repo.store.count(TARGET, call.tenant, "type", type_id):
        message = f"Cannot delete target type that is in use: {type_id}"
        raise HawkbitError(409, "target.type.used", REPOSITORY + "TargetTypeInUseException", message)
    if call.repo.store.get(TARGET_TYPE, call.tenant, type_id) is None:
        raise not_all_found("TargetType", [type_id], ())
    call.repo.store.delete(TARGET_TYPE, call.tenant, type_id)
    return Reply(call.done_status, changed="target type deleted")


def read_set_types(call: Call, type_id: int) -> Reply:
    found = (
        call.repo.store.get(SET_TYPE, call.tenant, set_type_id) for set_type_id in _need(call, type_id).set_type_ids
    )
    return Reply(body=[set_type_document(call, set_type) for set_type in found if set_type is not None])


def add_set_types(call: Call, type_id: int) -> Reply:
    wanted = [integer(entry, "id") for entry in as_new_objects(call.array)]
    if not wanted:
        raise violations(["assignCompatibleDistributionSetTypes.distributionSetTypeIds must not be empty."])
    set_type_ids = _known_set_types(call, wanted)
    target_type = _need(call, type_id)
    most = call.settings.quotas.set_types_per_target_type
    if len(target_type.set_type_ids) + len(set_type_ids) > most:
        raise quota(len(set_type_ids), "DistributionSetType", "TargetType", type_id, most)
    _save(call, replace(target_type, set_type_ids=tuple(dict.fromkeys(target_type.set_type_ids + set_type_ids))))
    return Reply(call.done_status, changed="compatible set types added")


def remove_set_type(call: Call, type_id: int, set_type_id: int) -> Reply:
    target_type = _need(call, type_id)
    if call.repo.store.get(SET_TYPE, call.tenant, set_type_id) is None:
        raise not_found("DistributionSetType", set_type_id)
    left = tuple(other for other in target_type.set_type_ids if other != set_type_id)
    _save(call, replace(target_type, set_type_ids=left))
    return Reply(call.done_status, changed="compatible set type removed")


def _draft(call: Call, entry: dict[str, Any]) -> dict[str, Any]:
    key, name = text(entry, "key"), text(entry, "name")
    if key is None and name is None:
        raise HawkbitError(
            400,
            "target.type.keyOrNameRequired",
            REPOSITORY + "TargetTypeKeyOrNameRequiredException",
            "Key or name of the target type shall be specified!",
        )
    compatible = entry.get("compatibledistributionsettypes")
    return {
        "key": name if key is None else key,
        "name": key if name is None else name,
        "description": text(entry, "description"),
        "colour": text(entry, "colour"),
        "set_type_ids": _known_set_types(call, [integer(item, "id") for item in as_new_objects(compatible or [])]),
    }


def _create(call: Call, draft: dict[str, Any]) -> TargetType:
    stored = rules.as_stored(TEXTS, draft)
    _check_free(call, "name", stored["name"])
    _check_free(call, "key", stored["key"])
    target_type = TargetType(
        **stored,
        id=call.repo.store.next_id(TARGET_TYPE.name),
        created_by=call.user,
        created_at_ms=call.now_ms,
        modified_by=call.user,
        modified_at_ms=call.now_ms,
    )
    call.repo.store.put(TARGET_TYPE, call.tenant, target_type)
    return target_type


def _check_free(call: Call, index: str, value: str) -> None:
    if call.repo.store.count(TARGET_TYPE, call.tenant, index, value):
        raise already_exists(f"there is a target type with {index} {value} already")


def _known_set_types(call: Call, wanted: list[int | None]) -> tuple[int, ...]:
    """The same ids. Raises 404 when one is unknown, and, as the real server does, when one is given twice."""
    store = call.repo.store
    known = {
        set_type_id: None
        for set_type_id in wanted
        if set_type_id is not None and store.get(SET_TYPE, call.tenant, set_type_id) is not None
    }
    if len(known) < len(wanted):
        raise not_all_found("DistributionSetType", wanted, known)
    return tuple(known)


def _save(call: Call, target_type: TargetType) -> TargetType:
    saved = replace(target_type, modified_by=call.user, modified_at_ms=call.now_ms)
    call.repo.store.put(TARGET_TYPE, call.tenant, saved)
    return saved


def _need(call: Call, type_id: int) -> TargetType:
    target_type = call.repo.store.get(TARGET_TYPE, call.tenant, type_id)
    if target_type is None:
        raise not_found("TargetType", type_id)
    return target_type


def _document(call: Call, target_type: TargetType) -> dict[str, Any]:
    document = {
        **audit(target_type),
        "name": target_type.name,
        "description": target_type.description,
        "key": target_type.key,
        "colour": target_type.colour,
        "deleted": False,
        "id": target_type.id,
        "_links": {"self": {"href": _url(call, target_type)}},
    }
    return {key: value for key, value in document.items() if value is not None}


def _full(call: Call, target_type: TargetType) -> dict[str, Any]:
    document = _document(call, target_type)
    compatible = "compatibledistributionsettypes"
    document["_links"][compatible] = {"href": f"{_url(call, target_type)}/{compatible}"}
    return document


def _url(call: Call, target_type: TargetType) -> str:
    return f"{call.base}/rest/v1/targettypes/{target_type.id}"
