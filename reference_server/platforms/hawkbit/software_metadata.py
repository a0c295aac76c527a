"""Metadata of software modules and distribution sets: `…/metadata` of both, which differ in words only (§1.4).

Other than with targets, creating a pair that is there already replaces it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from reference_server.platforms.hawkbit import fields, rules, software
from reference_server.platforms.hawkbit.action_records import MODULE, SET, DistributionSet, SoftwareModule
from reference_server.platforms.hawkbit.call import Call
from reference_server.platforms.hawkbit.errors import HawkbitError, not_found, not_readable, quota, violations
from reference_server.platforms.hawkbit.listing import paged
from reference_server.platforms.hawkbit.replies import Reply
from reference_server.platforms.hawkbit.settings import Quotas
from reference_server.stores.interface import Kind

GREATEST_KEY: Final = 128
GREATEST_VALUE: Final = 4000


@dataclass(frozen=True, slots=True)
class Owner:
    """What metadata hangs on. `child` and `shown_as` are the real server's words in messages."""

    kind: Kind[Any]
    need: Callable[[Call, int], SoftwareModule | DistributionSet]
    parent: str
    child: str
    shown_as: str
    limit: Callable[[Quotas], int]
    has_visibility: bool


OF_MODULE: Final = Owner(
    MODULE, software.need_module, "SoftwareModule", "MetadataValueCreate", "SoftwareModule metadata",
    lambda quotas: quotas.metadata_per_module, has_visibility=True,
)  # fmt: skip
OF_SET: Final = Owner(
    SET, software.need_set, "DistributionSet", "String", "Target metadata",
    lambda quotas: quotas.metadata_per_set, has_visibility=False,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MetadataHandlers:
    """The five handlers for one kind of owner."""

    owner: Owner

    def create(self, call: Call, record_id: int) -> Reply:
        entries = fields.as_objects(call.array)
        record = self.owner.need(call, record_id)
        metadata = dict(record.metadata)
        for entry in entries:
            key = _required(entry, "key")
            metadata[key] = self._value(entry, metadata.get(key))
        self._save(call, record, metadata)
        return Reply(201, changed=f"metadata of {self.owner.parent} {record_id} created")

    def listed(self, call: Call, record_id: int) -> Reply:
        metadata = self.owner.need(call, record_id).metadata
        return paged([self._document(key, value) for key, value in metadata.items()], len(metadata))

    def read(self, call: Call, record_id: int, key: str) -> Reply:
        metadata = self.owner.need(call, record_id).metadata
        if key not in metadata:
            raise not_found(self.owner.shown_as, f"{record_id}:{key}")
        return Reply(body=self._document(key, metadata[key]))

    def change(self, call: Call, record_id: int, key: str) -> Reply:
        """Creates the pair if there is none."""
        body = fields.as_object(call.json)
        record = self.owner.need(call, record_id)
        self._save(call, record, {**record.metadata, key: self._value(body, record.metadata.get(key))})
        return Reply(call.done_status, changed=f"metadata of {self.owner.parent} {record_id} changed")

    def delete(self, call: Call, record_id: int, key: str) -> Reply:
        record = self.owner.need(call, record_id)
        if key not in record.metadata:
            raise not_found("Metadata", f"{self.owner.parent}:{record_id}:{key}")
        self._save(call, record, {name: value for name, value in record.metadata.items() if name != key})
        return Reply(call.done_status, changed=f"metadata of {self.owner.parent} {record_id} deleted")

    def _value(self, body: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
        value: dict[str, Any] = {"value": _required(body, "value")}
        if self.owner.has_visibility:
            visible = fields.boolean(body, "targetVisible")
            value["targetVisible"] = bool(before and before["targetVisible"]) if visible is None else visible
        return value

    def _document(self, key: str, value: dict[str, Any]) -> dict[str, Any]:
        return {"key": key, **value}

    def _save(self, call: Call, record: SoftwareModule | DistributionSet, metadata: dict[str, Any]) -> None:
        """Raises 400 for a key or value that is too long, 429 for too many pairs."""
        broken = [sentence for key, value in metadata.items() for sentence in _broken(key, value["value"])]
        if broken:
            raise violations(broken)
        limit = self.owner.limit(call.settings.quotas)
        if len(metadata) > limit and len(metadata) > len(record.metadata):
            raise quota(len(metadata), self.owner.child, self.owner.parent, "<new>", limit)
        changed = replace(record, metadata=metadata, modified_by=call.user, modified_at_ms=call.now_ms)
        call.repo.store.put(self.owner.kind, call.tenant, changed)


def _broken(key: str, value: str) -> list[str]:
    return [
        *rules.broken_size("createMetadata.key", key, 1, GREATEST_KEY),
        *rules.broken_size("createMetadata.value", value, 0, GREATEST_VALUE),
    ]


def _required(body: dict[str, Any], name: str) -> str:
    value = fields.text(body, name)
    if value is None:
        raise _missing(name)
    return value


def _missing(name: str) -> HawkbitError:
    return not_readable(f"metadata without {name!r}")
