"""Metadata of software modules and distribution sets: `…/metadata` of both, which differ in small things (§1.4).

Other than with targets, creating a pair that is there already replaces it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.mgmt.software_rules import flag
from fleetrig.reference_server.platforms.hawkbit.request import fields
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.search.listing import paged
from fleetrig.reference_server.platforms.hawkbit.state import software
from fleetrig.reference_server.platforms.hawkbit.state.action_records import SET, DistributionSet, SoftwareModule
from fleetrig.reference_server.platforms.hawkbit.state.errors import (
    bare,
    crash,
    integrity,
    not_found,
    quota,
    violations,
)
from fleetrig.reference_server.platforms.hawkbit.state.java_order import in_hash_order, string_hash
from fleetrig.reference_server.platforms.hawkbit.state.settings import Quotas

GREATEST_KEY: Final = 128
GREATEST_VALUE: Final = 4000

Value = dict[str, Any]
NOTHING: Final[Value] = {"value": None, "targetVisible": False}
"""A module's pair that the real server sees nothing to store in."""
Holder = SoftwareModule | DistributionSet


@dataclass(frozen=True, slots=True)
class Owner:
    """What metadata hangs on. `child` and `shown_as` are the real server's words in messages."""

    need: Callable[[Call, int], Holder]
    save: Callable[[Call, Any], Any]
    parent: str
    child: str
    shown_as: str
    limit: Callable[[Quotas], int]
    has_visibility: bool


def _save_set(call: Call, record: DistributionSet) -> None:
    call.repo.store.put(SET, call.tenant, replace(record, modified_by=call.user, modified_at_ms=call.now_ms))


OF_MODULE: Final = Owner(
    software.need_module, software.save_module, "SoftwareModule", "MetadataValueCreate", "SoftwareModule metadata",
    lambda quotas: quotas.metadata_per_module, has_visibility=True,
)  # fmt: skip
OF_SET: Final = Owner(
    software.need_set, _save_set, "DistributionSet", "String", "Target metadata",
    lambda quotas: quotas.metadata_per_set, has_visibility=False,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MetadataHandlers:
    """The five handlers for one kind of owner."""

    owner: Owner

    def create(self, call: Call, record_id: int) -> Reply:
        pairs = [
            (fields.text(body, "key"), self._new_value(body))
            for body in fields.as_new_objects(call.array)
        ]  # fmt: skip
        self._check_pairs(pairs)
        self._change(call, record_id, dict(pairs))
        return Reply(201, changed=f"metadata of {self.owner.parent} {record_id} created")

    def listed(self, call: Call, record_id: int) -> Reply:
        metadata = self.owner.need(call, record_id).metadata
        keys = in_hash_order(metadata, string_hash)
        return paged([self._document(key, metadata[key]) for key in keys], len(metadata))

    def read(self, call: Call, record_id: int, key: str) -> Reply:
        metadata = self.owner.need(call, record_id).metadata
        if key not in metadata:
            raise not_found(self.owner.shown_as, f"{record_id}:{key}")
        return Reply(body=self._document(key, metadata[key]))

    def change(self, call: Call, record_id: int, key: str) -> Reply:
        """Creates the pair if there is none. Without `targetVisible` the real server breaks on a module's."""
        body = fields.as_object(call.json)
        value: Value = {"value": fields.text(body, "value")}
        if self.owner.has_visibility:
            value["targetVisible"] = bool(fields.boolean(body, "targetVisible"))
            if body.get("targetVisible") is None and call.traits.visibility_is_needed:
                raise crash("a module's metadata can only be changed together with its targetVisible")
        elif value["value"] is None:
            raise violations(["createMetadata.value must not be null."])
        self._change(call, record_id, {key: value})
        return Reply(call.done_status, changed=f"metadata of {self.owner.parent} {record_id} changed")

    def delete(self, call: Call, record_id: int, key: str) -> Reply:
        record = self._need_valid(call, record_id)
        if key not in record.metadata:
            raise not_found("Metadata", f"{self.owner.parent}:{record_id}:{key}")
        left = {name: value for name, value in record.metadata.items() if name != key}
        self.owner.save(call, replace(record, metadata=left))
        return Reply(call.done_status, changed=f"metadata of {self.owner.parent} {record_id} deleted")

    def _new_value(self, body: dict[str, Any]) -> Value:
        value: Value = {"value": fields.text(body, "value")}
        return {**value, "targetVisible": flag(body, "targetVisible")} if self.owner.has_visibility else value

    def _check_pairs(self, pairs: list[tuple[str | None, Value]]) -> None:
        """Raises 400 for no pair and for a module's value that is too long, 500 for two of one key."""
        if not pairs:
            raise violations(["createMetadata.metadata must not be empty."])
        if not self.owner.has_visibility and any(value["value"] is None for _, value in pairs):
            raise crash("a set's metadata without a value")
        if len(dict(pairs)) < len(pairs):
            raise bare(500, "metadata with the same key twice")
        broken = [
            f"createMetadata.metadata[{key}].value size must be between 0 and {GREATEST_VALUE}."
            for key, value in pairs
            if self.owner.has_visibility and _is_too_long(value)
        ]
        if broken:
            raise violations(broken)

    def _change(self, call: Call, record_id: int, given: dict[str | None, Value] | dict[str, Value]) -> None:
        """Raises 400 for what no database row takes, 429 for too many pairs."""
        record = self._need_valid(call, record_id)
        metadata: dict[Any, Value] = {**record.metadata, **given}
        limit = self.owner.limit(call.settings.quotas)
        if len(metadata) > limit and (len(metadata) > len(record.metadata) or len(given) != 1):
            raise quota(len(metadata), self.owner.child, self.owner.parent, "<new>", limit)
        if any(key is None or len(key) > GREATEST_KEY or _is_too_long(value) for key, value in given.items()):
            raise integrity(
                f"metadata: a key of at most {GREATEST_KEY}, a value of at most {GREATEST_VALUE} characters"
            )
        kept = {key: value for key, value in metadata.items() if value != NOTHING or key in record.metadata}
        if kept != record.metadata:
            self.owner.save(call, replace(record, metadata=kept))

    def _need_valid(self, call: Call, record_id: int) -> Holder:
        record = self.owner.need(call, record_id)
        if isinstance(record, DistributionSet) and not record.valid:
            raise software.invalid_set(f"DistributionSet {record_id} is invalid")
        return record

    def _document(self, key: str, value: Value) -> Value:
        return {"key": key, **{name: part for name, part in value.items() if part is not None}}


def _is_too_long(value: Value) -> bool:
    return value["value"] is not None and len(value["value"]) > GREATEST_VALUE
