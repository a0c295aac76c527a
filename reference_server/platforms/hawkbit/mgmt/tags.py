"""Target tags, and the targets that carry them (§1.5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.mgmt.target_documents import numbered_targets, target_page
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.documents import audit
from fleetrig.reference_server.platforms.hawkbit.request.fields import as_new_objects, as_object, as_texts_or_null, text
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply, Steps
from fleetrig.reference_server.platforms.hawkbit.search.listing import page
from fleetrig.reference_server.platforms.hawkbit.search.rsql_fields import Field, Fields, Holds
from fleetrig.reference_server.platforms.hawkbit.state import rules
from fleetrig.reference_server.platforms.hawkbit.state.errors import (
    HawkbitError,
    already_exists,
    not_found,
    not_readable,
    violations,
)
from fleetrig.reference_server.platforms.hawkbit.state.records import TARGET, TARGET_TAG, Target, TargetTag
from fleetrig.reference_server.platforms.hawkbit.state.rules import TextRule

GREATEST_NAME: Final = 128
GREATEST_DESCRIPTION: Final = 512
GREATEST_COLOUR: Final = 16
DESCRIBED: Final = (TextRule("description", 0, GREATEST_DESCRIPTION), TextRule("colour", 0, GREATEST_COLOUR))
TEXTS: Final = (TextRule("name", 1, GREATEST_NAME, needed=True), *DESCRIBED)

POLICIES: Final = ("FAIL", "ON_WHAT_FOUND_AND_FAIL", "ON_WHAT_FOUND_AND_SUCCESS")


def named_fields(*more: str) -> Fields:
    """The fields of everything that has an id, a name and an audit."""

    def plain(part: str, holds: Holds = Holds.TEXT) -> Field:
        return Field(lambda record, look: getattr(record, part), holds)

    return Fields(
        {
            "id": plain("id", Holds.NUMBER),
            "name": plain("name"),
            "createdAt": plain("created_at_ms", Holds.NUMBER),
            "createdBy": plain("created_by"),
            "lastModifiedAt": plain("modified_at_ms", Holds.NUMBER),
            "lastModifiedBy": plain("modified_by"),
            **{name: plain(name) for name in more},
        }
    )


TAG_FIELDS: Final = named_fields("description", "colour")
TAGGED_SORTS: Final = named_fields("description")
"""What tagged targets are sorted by: the fields that a tag has too."""


def tag_document(call: Call, tag: TargetTag) -> dict[str, Any]:
    document = {
        **audit(tag),
        "name": tag.name,
        "description": tag.description,
        "id": tag.id,
        "colour": tag.colour,
        "_links": {"self": {"href": _url(call, tag)}},
    }
    return {key: value for key, value in document.items() if value is not None}


def create_tags(call: Call) -> Reply:
    drafts = [_draft(entry) for entry in as_new_objects(call.array)]
    broken = [sentence for number, draft in enumerate(drafts)
              for sentence in rules.broken_texts(f"create.create[{number}]", TEXTS, draft)]  # fmt: skip
    if broken:
        raise violations(broken)
    return Reply(201, [tag_document(call, _create(call, draft)) for draft in drafts], changed="target tags created")


def read_tags(call: Call) -> Reply:
    tags = call.repo.store.scan(TARGET_TAG, call.tenant)
    return page(call, tags, TAG_FIELDS, lambda tag: tag_document(call, tag))


def read_tag(call: Call, tag_id: int) -> Reply:
    return Reply(body=_full(call, _need(call, tag_id)))


def update_tag(call: Call, tag_id: int) -> Reply:
    draft = _draft(as_object(call.json))
    broken = rules.broken_texts("update.update", TEXTS, draft)
    if broken:
        raise violations(broken)
    tag = _need(call, tag_id)
    changes = rules.as_stored(TEXTS, {rule.name: _kept(draft, tag, rule.name) for rule in TEXTS})
    changed = replace(tag, **changes)
    if changed.name != tag.name:
        _check_free(call, changed.name)
    if changed != tag:
        changed = replace(changed, modified_by=call.user, modified_at_ms=call.now_ms)
        call.repo.store.put(TARGET_TAG, call.tenant, changed)
    return Reply(body=_full(call, changed), changed="target tag changed")


def delete_tag(call: Call, tag_id: int) -> Reply:
    """A reader learns that there is no such tag before that it may not delete one."""
    _need(call, tag_id)
    call.need("DELETE_TARGET")
    for target in call.repo.store.find(TARGET, call.tenant, "tag", tag_id):
        call.repo.save(call.tenant, _without(target, tag_id))
    call.repo.store.delete(TARGET_TAG, call.tenant, tag_id)
    return Reply(call.done_status, changed="target tag deleted")


def read_tagged(call: Call, tag_id: int) -> Reply | Steps:
    """By the number of the record, not by controllerId, if not asked for otherwise."""
    _need(call, tag_id)
    return target_page(call, numbered_targets("tag", tag_id), sorts=TAGGED_SORTS)


def assign_one(call: Call, tag_id: int, controller_id: str) -> Reply:
    return _change_targets(call, tag_id, [controller_id], _with, POLICIES[0])


def unassign_one(call: Call, tag_id: int, controller_id: str) -> Reply:
    return _change_targets(call, tag_id, [controller_id], _without, POLICIES[0])


def assign_many(call: Call, tag_id: int) -> Reply:
    return _change_targets(call, tag_id, _given_ids(call, "assignTag"), _with, _policy(call))


def unassign_many(call: Call, tag_id: int) -> Reply:
    return _change_targets(call, tag_id, _given_ids(call, "unassignTag"), _without, _policy(call))


def _given_ids(call: Call, operation: str) -> list[str | None]:
    controller_ids = as_texts_or_null(call.array, "controllerIds")
    if not controller_ids:
        raise violations([f"{operation}.controllerIds must not be empty."])
    return controller_ids


def _change_targets(
    call: Call,
    tag_id: int,
    controller_ids: Sequence[str | None],
    change: Callable[[Target, int], Target],
    policy: str,
) -> Reply:
    """`policy` says what an unknown controllerId does: nothing at all, the found ones and 404, or the found ones.

    A controllerId that is given twice counts as one that was not found, as on the real server.
    """
    _need(call, tag_id)
    found = {name: call.repo.target(call.tenant, name or "") for name in dict.fromkeys(controller_ids)}
    missing = [name for name, target in found.items() if target is None]
    incomplete = len(controller_ids) > len(found) - len(missing)
    if incomplete and policy == POLICIES[0]:
        raise _no_targets(missing)
    for target in found.values():
        if target is not None:
            call.repo.save(call.tenant, change(target, tag_id))
    if incomplete and policy == POLICIES[1]:
        error = _no_targets(missing)
        error.keeps = True
        raise error
    return Reply(call.done_status, changed="target tags changed")


def _no_targets(missing: list[str | None]) -> HawkbitError:
    names = ", ".join("null" if name is None else name for name in missing)
    return not_found("Target", missing, f"no such targets, or given twice: {names[:200]}", shown=f"[{names}]")


def _policy(call: Call) -> str:
    given = call.query.get("onNotFoundPolicy", "").strip() or POLICIES[0]
    if given not in POLICIES:
        raise not_readable(f"onNotFoundPolicy {given[:50]!r}: expected one of {', '.join(POLICIES)}")
    return given


def _with(target: Target, tag_id: int) -> Target:
    return target if tag_id in target.tag_ids else replace(target, tag_ids=(*target.tag_ids, tag_id))


def _without(target: Target, tag_id: int) -> Target:
    return replace(target, tag_ids=tuple(other for other in target.tag_ids if other != tag_id))


def _draft(body: dict[str, Any]) -> dict[str, str | None]:
    return {rule.name: text(body, rule.name) for rule in TEXTS}


def _kept(draft: dict[str, str | None], tag: TargetTag, name: str) -> str | None:
    """What is given, else what there is."""
    given = draft[name]
    return getattr(tag, name) if given is None else given


def _create(call: Call, draft: dict[str, str | None]) -> TargetTag:
    stored = rules.as_stored(TEXTS, draft)
    _check_free(call, stored["name"])
    tag = TargetTag(
        **stored,
        id=call.repo.store.next_id(TARGET_TAG.name),
        created_by=call.user,
        created_at_ms=call.now_ms,
        modified_by=call.user,
        modified_at_ms=call.now_ms,
    )
    call.repo.store.put(TARGET_TAG, call.tenant, tag)
    return tag


def _check_free(call: Call, name: str) -> None:
    if call.repo.store.count(TARGET_TAG, call.tenant, "name", name):
        raise already_exists(f"there is a target tag {name} already")


def _full(call: Call, tag: TargetTag) -> dict[str, Any]:
    document = tag_document(call, tag)
    document["_links"]["assignedTargets"] = {"href": f"{_url(call, tag)}/assigned?offset=0&limit=50"}
    return document


def _url(call: Call, tag: TargetTag) -> str:
    return f"{call.base}/rest/v1/targettags/{tag.id}"


def _need(call: Call, tag_id: int) -> TargetTag:
    tag = call.repo.store.get(TARGET_TAG, call.tenant, tag_id)
    if tag is None:
        raise not_found("TargetTag", tag_id)
    return tag
