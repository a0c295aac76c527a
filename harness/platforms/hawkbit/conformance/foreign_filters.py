"""Filters of other people that assign their sets to all targets, ours too: a difference may then be their doing."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import Mismatch


def filter_that_assigns(mgmt: Callable[..., Answer], prefix: str, ours: str) -> str:
    """The name of a filter, not ours, that assigns a set to targets whose ids begin with `ours`; else empty."""
    found = mgmt("GET", "/targetfilters?limit=500")
    if found.status != 200:
        return ""
    for one in found.json().get("content", ()):
        name, query = str(one.get("name")), one.get("query")
        if name.startswith(prefix) or not query or not one.get("autoAssignDistributionSet"):
            continue
        struck = mgmt("GET", f"/targets?limit=1&q={quote(f'({query});controllerId=={ours}*', safe='')}")
        if struck.status == 200 and struck.json().get("total"):
            return name
    return ""


def assigned_by_foreign_filter(mgmt: Callable[..., Answer], prefix: str, ours: str) -> str:
    """As above; whatever goes wrong in looking leaves the difference as it was."""
    try:
        return filter_that_assigns(mgmt, prefix, ours)
    except (Mismatch, AttributeError, TypeError):
        return ""
