"""What generation 1 does not know of documents: it looks over it when it comes, and does not show it (spec 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

NEWER_OF_TENANT: Final = frozenset({"alias", "registration-limits", "trust-anchor-group"})
OLDER_OF_ANCHOR: Final = frozenset(
    {
        "subject-dn",
        "public-key",
        "algorithm",
        "not-before",
        "not-after",
        "cert",
        "auto-provisioning-enabled",
    }
)
OLDER_OF_DEVICE: Final = frozenset({"enabled", "defaults", "via", "ext"})
NEWER_OF_CREDENTIALS: Final = frozenset({"cert"})
NEWER_OF_SECRET: Final = frozenset({"id"})
ANCHORS: Final = "trusted-ca"
SECRETS: Final = "secrets"


def older_tenant(document: Mapping[str, Any]) -> dict[str, Any]:
    """Of a tenant that comes, and of one that is shown."""
    older = _without(document, NEWER_OF_TENANT)
    anchors = older.get(ANCHORS)
    if isinstance(anchors, list):
        older[ANCHORS] = [_only(anchor, OLDER_OF_ANCHOR) for anchor in anchors]
    return older


def older_device(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name in OLDER_OF_DEVICE}


def older_entries(entries: list[Any]) -> list[Any]:
    """Of credentials that come, and of those that are shown."""
    return [_older_entry(entry) for entry in entries]


def _older_entry(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    older = _without(entry, NEWER_OF_CREDENTIALS)
    secrets = older.get(SECRETS)
    if isinstance(secrets, list):
        older[SECRETS] = [_without(one, NEWER_OF_SECRET) if isinstance(one, dict) else one for one in secrets]
    return older


def _without(document: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}


def _only(document: Any, names: frozenset[str]) -> Any:
    if not isinstance(document, dict):
        return document
    return {name: value for name, value in document.items() if name in names}
