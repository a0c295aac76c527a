"""Pieces that many Mgmt documents share."""

from __future__ import annotations

from typing import Any

from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.state.records import Audited


def audit(record: Audited) -> dict[str, Any]:
    """The four fields that most documents begin with."""
    return {
        "createdBy": record.created_by,
        "createdAt": record.created_at_ms,
        "lastModifiedBy": record.modified_by,
        "lastModifiedAt": record.modified_at_ms,
    }


def link(call: Call, path: str, name: str | None = None) -> dict[str, str]:
    """A Mgmt link; `path` comes encoded."""
    href = {"href": f"{call.base}/rest/v1{path}"}
    return href if name is None else {**href, "name": name}


def without_nulls(document: dict[str, Any]) -> dict[str, Any]:
    """Absent fields are left out (§0)."""
    return {name: value for name, value in document.items() if value is not None}
