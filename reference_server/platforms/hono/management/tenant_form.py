"""A tenant as an operator gives it, and as GET shows it (spec 1.1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from fleetrig.reference_server.platforms.hono.management.anchor_form import read_anchor
from fleetrig.reference_server.platforms.hono.management.limit_forms import (
    read_registration_limits,
    read_resource_limits,
)
from fleetrig.reference_server.platforms.hono.management.members import (
    Unreadable,
    array,
    boolean,
    flag,
    mapping,
    members_of,
    needed_text,
    text,
    whole,
    without_empty,
    word,
)
from fleetrig.reference_server.platforms.hono.state.generations import Traits

Read = Callable[[Any, str], Any]

ALIAS: Final = re.compile(r"[a-z0-9-]+", re.ASCII)
SAMPLING_MODES: Final = ("default", "all", "none")
ADAPTER_MEMBERS: Final = ("enabled", "type", "device-authentication-required", "ext")
TRACING_MEMBERS: Final = ("sampling-mode", "sampling-mode-per-auth-id")


def read_tenant(document: Mapping[str, Any], traits: Traits) -> dict[str, Any]:
    """As it is stored and shown. Raises Unreadable."""
    strict = traits.refuses_unknown_members
    readers: dict[str, Read] = {
        "enabled": boolean,
        "alias": _alias,
        "ext": mapping,
        "defaults": mapping,
        "adapters": partial(_adapters, strict=strict),
        "minimum-message-size": _message_size,
        "resource-limits": partial(read_resource_limits, strict=strict),
        "tracing": partial(_tracing, strict=strict),
        "trust-anchor-group": text,
        "trusted-ca": partial(_anchors, strict=strict),
        "registration-limits": partial(read_registration_limits, strict=strict),
    }
    given = members_of(document, tuple(readers), "the tenant", refuses_unknown=strict)
    read = {name: readers[name](given[name], name) for name in readers if name in given}
    limits = {name: read[name] for name in ("resource-limits", "registration-limits") if read.get(name) is not None}
    return {**without_empty(read), **limits}  # limits are shown though they are empty


def _alias(value: Any, where: str) -> str:
    alias = needed_text(value, where)
    if ALIAS.fullmatch(alias) is None:
        raise Unreadable(f"{where}: {alias[:60]!r} may have lower case letters, digits and hyphens only")
    return alias


def _message_size(value: Any, where: str) -> int | None:
    size = whole(value, where)
    if size is None or size < 0:
        raise Unreadable(f"{where}: expected 0 or more, got {size}")
    return size or None


def _anchors(value: Any, where: str, *, strict: bool) -> list[dict[str, Any]]:
    return array(value, partial(read_anchor, refuses_unknown=strict), where)


def _adapters(value: Any, where: str, *, strict: bool) -> list[dict[str, Any]]:
    if value == []:
        raise Unreadable(f"{where}: leave it out to have all adapters enabled, or name one at least")
    adapters = array(value, partial(_adapter, strict=strict), where)
    types = [adapter["type"] for adapter in adapters]
    if len(set(types)) < len(types):
        raise Unreadable(f"{where}: two adapters have the same type")
    return adapters


def _adapter(value: Any, where: str, *, strict: bool) -> dict[str, Any]:
    given = members_of(value, ADAPTER_MEMBERS, where, refuses_unknown=strict)
    needs = given.get("device-authentication-required", True)
    shown = {
        "type": needed_text(given.get("type"), f"{where}.type"),
        "enabled": flag(given.get("enabled"), f"{where}.enabled"),
        "device-authentication-required": flag(needs, f"{where}.device-authentication-required"),
    }
    ext = mapping(given.get("ext"), f"{where}.ext")
    return {**shown, "ext": ext} if ext else shown


def _tracing(value: Any, where: str, *, strict: bool) -> dict[str, Any] | None:
    """Shown with a null where there is no mode."""
    if value is None:
        return None
    given = members_of(value, TRACING_MEMBERS, where, refuses_unknown=strict)
    mode = word(given.get("sampling-mode"), SAMPLING_MODES, f"{where}.sampling-mode")
    per_auth_id = mapping(given.get("sampling-mode-per-auth-id"), f"{where}.sampling-mode-per-auth-id")
    modes = {name: word(one, SAMPLING_MODES, f"{where}: {name[:40]}") for name, one in per_auth_id.items()}
    return {"sampling-mode": mode, "sampling-mode-per-auth-id": modes} if modes else {"sampling-mode": mode}
