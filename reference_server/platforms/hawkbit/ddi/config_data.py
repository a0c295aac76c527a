"""`PUT configData`: a device tells its attributes (§2.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.fields import as_object, as_text, word
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.state.errors import invalid_attributes, not_readable, quota

GREATEST: Final = 128
ALLOWED: Final = re.compile(r"[A-Za-z0-9_\-!@#$%^&*()+=\[\]{}|;:'\",.<>/\\?\s]*", re.ASCII)
MODES: Final = ("merge", "replace", "remove")

Attributes = dict[str, str | None]


def put_config_data(call: Call) -> Reply:
    """Stores the attributes and stops asking for them, even if nothing changed. Never creates a target."""
    data, mode = _data(call)
    for key, value in data.items():
        _check(key, value)
    target = call.repo.need_target(call.tenant, call.device)
    after = merged(target.attributes, data, mode)
    most = call.settings.quotas.attributes_per_target
    if len(after) > most and len(after) > len(target.attributes):
        raise quota(len(after), "Attribute", "Target", target.id, most)
    asks = target.request_attributes and mode == "remove" and not call.traits.removal_confirms
    if after == target.attributes and asks == target.request_attributes:
        return Reply()
    call.repo.save(call.tenant, replace(target, attributes=after, request_attributes=asks))
    return Reply(changed="attributes changed" if after != target.attributes else "attributes confirmed")


def merged(before: Mapping[str, str], data: Attributes, mode: str) -> dict[str, str]:
    """The attributes after a report; null deletes a key when merging and is dropped when replacing."""
    if mode == "remove":
        return {key: value for key, value in before.items() if key not in data}
    after = {} if mode == "replace" else dict(before)
    for key, value in data.items():
        if value is None:
            after.pop(key, None)
        else:
            after[key] = value
    return after


def _data(call: Call) -> tuple[Attributes, str]:
    body = as_object(call.json)
    mode = word(body.get("mode"), MODES, "mode")
    given = body.get("data")
    if not isinstance(given, dict) or not given:
        raise not_readable("data: expected an object with at least one attribute")
    return {key: as_text(value, f"attribute {key[:50]}") for key, value in given.items()}, mode or "merge"


def _check(key: str, value: str | None) -> None:
    for what, checked in (("key", key), ("value", value or "")):
        if len(checked) > GREATEST:
            raise invalid_attributes(
                f"attribute {key[:50]!r}: its {what} has {len(checked)} characters, at most {GREATEST}"
            )
        if not ALLOWED.fullmatch(checked):
            bad = next(char for char in checked if not ALLOWED.fullmatch(char))
            raise invalid_attributes(f"attribute {key[:50]!r}: {bad!r} in its {what} is not allowed")
