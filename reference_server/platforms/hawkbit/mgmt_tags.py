"""Target tags, and the targets that carry them (§1.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from reference_server.platforms.hawkbit import rules
from reference_server.platforms.hawkbit.call import Call
from reference_server.platforms.hawkbit.documents import audit
from reference_server.platforms.hawkbit.errors import already_exists, not_found, not_readable, violations
from reference_server.platforms.hawkbit.fields import as_object, as_objects, as_texts, text
from reference_server.platforms.hawkbit.listing import page
from reference_server.platforms.hawkbit.records import TARGET, TARGET_TAG, Target, TargetTag
from reference_server.platforms.hawkbit.replies import Reply
from reference_server.platforms.hawkbit.rsql_match import Field, Fields, Holds
from reference_server.platforms.hawkbit.target_documents import target_page
from reference_server.platforms.hawkbit.tenants import ID_SEQUENCE

GREATEST_NAME: Final = 128
GREATEST_DESCRIPTION: Final = 512
GREATEST_COLOUR: Final = 16

POLICIES: Final = {"fail": "fail", "onwhatfoundandfail": "found-fail", "onwhatfoundandsuccess": "found"}


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
    entries = as_objects(call.array)
    broken = [sentence for number, entry in enumerate(entries)
              for sentence in _broken(f"create.create[{number}]", entry, named=True)]  # fmt: skip
    if broken:
        raise violations(broken)
    return Reply(201, [tag_document(call, _create(call, entry)) for entry in entries], changed="target tags created")


def read_tags(call: Call) -> Reply:
    tags = call.repo.store.scan(TARGET_TAG, call.tenant)
    return page(call, tags, TAG_FIELDS, lambda tag: tag_document(call, tag))


def read_tag(call: Call, tag_id: int) -> Reply:
    return Reply(body=_full(call, _need(call, tag_id)))


def update_tag(call: Call, tag_id: int) -> Reply:
    body = as_object(call.json)
    broken = _broken("update.update", body, named=False)
    if broken:
        raise violations(broken)
    tag = _need(call, tag_id)
    changes: dict[str, Any] = {name: text(body, name) for name in ("name", "description", "colour")}
    changed = replace(tag, **{name: value for name, value in changes.items() if value is not None})
    if changed.name != tag.name:
        _check_free(call, changed.name)
    if changed != tag:
        changed = replace(changed, modified_by=call.user, modified_at_ms=call.now_ms)
        call.repo.store.put(TARGET_TAG, call.tenant, changed)
    return Reply(body=_full(call, changed), changed="target tag changed")


def delete_tag(call: Call, tag_id: int) -> Reply:
    _need(call, tag_id)
    for target in call.repo.store.find(TARGET, call.tenant, "tag", tag_id):
        call.repo.save(call.tenant, _without(target, tag_id))
    call.repo.store.delete(TARGET_TAG, call.tenant, tag_id)
    return Reply(call.done_status, changed="target tag deleted")


def read_tagged(call: Call, tag_id: int) -> Reply:
    _need(call, tag_id)
    return target_page(call, call.repo.store.find(TARGET, call.tenant, "tag", tag_id))


def assign_one(call: Call, tag_id: int, controller_id: str) -> Reply:
    return _change_targets(call, tag_id, [controller_id], _with, "fail")


def unassign_one(call: Call, tag_id: int, controller_id: str) -> Reply:
    return _change_targets(call, tag_id, [controller_id], _without, "fail")


def assign_many(call: Call, tag_id: int) -> Reply:
    return _change_targets(call, tag_id, as_texts(call.array, "controllerIds"), _with, _policy(call))


def unassign_many(call: Call, tag_id: int) -> Reply:
    return _change_targets(call, tag_id, as_texts(call.array, "controllerIds"), _without, _policy(call))


def _change_targets(
    call: Call, tag_id: int, controller_ids: list[str], change: Callable[[Target, int], Target], policy: str
) -> Reply:
    """`policy` says what an unknown controllerId does: nothing at all, the found ones and 404, or the found ones."""
    _need(call, tag_id)
    found = {name: call.repo.target(call.tenant, name) for name in dict.fromkeys(controller_ids)}
    missing = [name for name, target in found.items() if target is None]
    if missing and policy == "fail":
        raise _no_targets(missing)
    for target in found.values():
        if target is not None:
            call.repo.save(call.tenant, change(target, tag_id))
    if missing and policy == "found-fail":
        error = _no_targets(missing)
        error.keeps = True
        raise error
    return Reply(call.done_status, changed="target tags changed")


def _no_targets(missing: list[str]) -> Any:
    shown = f"[{', '.join(missing)}]"
    return not_found("Target", missing, f"no such targets: {', '.join(missing)[:200]}", shown=shown)


def _policy(call: Call) -> str:
    given = call.query.get("onNotFoundPolicy", "fail")
    policy = POLICIES.get(given.replace("_", "").lower())
    if policy is None:
        raise not_readable(f"onNotFoundPolicy {given[:50]!r}: fail, onWhatFoundAndFail or onWhatFoundAndSuccess")
    return policy


def _with(target: Target, tag_id: int) -> Target:
    return target if tag_id in target.tag_ids else replace(target, tag_ids=(*target.tag_ids, tag_id))


def _without(target: Target, tag_id: int) -> Target:
    return replace(target, tag_ids=tuple(other for other in target.tag_ids if other != tag_id))


def _create(call: Call, entry: dict[str, Any]) -> TargetTag:
    name = text(entry, "name")
    assert name is not None
    _check_free(call, name)
    tag = TargetTag(
        id=call.repo.store.next_id(ID_SEQUENCE),
        name=name,
        description=text(entry, "description"),
        colour=text(entry, "colour"),
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


def _broken(path: str, entry: dict[str, Any], *, named: bool) -> list[str]:
    name = text(entry, "name")
    return [
        *(rules.missing(f"{path}.name", name) if named else ()),
        *rules.broken(f"{path}.name", name, 1, GREATEST_NAME),
        *rules.broken(f"{path}.description", text(entry, "description"), 0, GREATEST_DESCRIPTION),
        *rules.broken(f"{path}.colour", text(entry, "colour"), 0, GREATEST_COLOUR),
    ]


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
