"""A device as an operator gives it, and as GET shows it (spec 1.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from fleetrig.reference_server.platforms.hono.management.members import (
    Unreadable,
    array,
    boolean,
    mapping,
    members_of,
    needed_text,
    text,
    without_empty,
)
from fleetrig.reference_server.platforms.hono.state.generations import Traits
from fleetrig.reference_server.platforms.hono.state.records import Device
from fleetrig.reference_server.platforms.hono.state.times import time_text

ENDPOINT_MEMBERS: Final = ("uri", "headers", "payload-properties")
STATUS: Final = "status"
ROLES: Final = ("via", "viaGroups", "memberOf")


def read_device(document: Mapping[str, Any], traits: Traits) -> dict[str, Any]:
    """As it is stored and shown; a `status` is looked over. Raises Unreadable."""
    strict = traits.refuses_unknown_members
    ids = partial(_ids, keeps_null=traits.keeps_null_ids)
    readers: dict[str, Callable[[Any, str], Any]] = {
        "enabled": boolean,
        "ext": mapping,
        "defaults": mapping,
        "via": ids,
        "viaGroups": ids,
        "memberOf": ids,
        "downstream-message-mapper": text,
        "upstream-message-mapper": text,
        "authorities": partial(_authorities, keeps_null=traits.keeps_null_ids),
        "command-endpoint": partial(_endpoint, strict=strict),
    }
    given = members_of(document, (*readers, STATUS), "the device", refuses_unknown=strict)
    read = {name: readers[name](given[name], name) for name in readers if name in given}
    _check_roles([name for name in given if name in ROLES], read)
    endpoint = {"command-endpoint": read["command-endpoint"]} if "command-endpoint" in read else {}
    return {**without_empty(read), **endpoint}  # an endpoint is shown though it is empty


def shown_device(device: Device, traits: Traits) -> dict[str, Any]:
    """What GET shows."""
    if not traits.has_status:
        return dict(device.document)
    return {**device.document, STATUS: _status(device)}


def found_device(device: Device, traits: Traits) -> dict[str, Any]:
    """An entry of a search."""
    shown = shown_device(device, traits) if traits.shows_status_in_search else dict(device.document)
    return {**shown, "id": device.device_id}


def _status(device: Device) -> dict[str, Any]:
    status: dict[str, Any] = {"created": time_text(device.created_us)}
    if device.updated_us is not None:
        status["updated"] = time_text(device.updated_us)
    if device.is_auto_provisioned:
        status["auto-provisioned"] = True
    if device.is_notification_sent:
        status["auto-provisioning-notification-sent"] = True
    return status


def _check_roles(names: Sequence[str], read: Mapping[str, Any]) -> None:
    """A device is a gateway or behind one: after the one even an empty list of the other is refused.

    `names` in the order in which they were given: the real server reads them one by one.
    """
    for at, name in enumerate(names):
        for before in names[:at]:
            if read[before] and "memberOf" in (name, before) and name != before:
                raise Unreadable(f"a device has either {before} or {name}: a gateway is not behind a gateway")


def _ids(value: Any, where: str, *, keeps_null: bool) -> list[str | None]:
    return array(value, text if keeps_null else needed_text, where, takes_single=True)


def _authorities(value: Any, where: str, *, keeps_null: bool) -> list[str | None]:
    return list(dict.fromkeys(array(value, text if keeps_null else needed_text, where)))


def _endpoint(value: Any, where: str, *, strict: bool) -> dict[str, Any]:
    given = members_of(value, ENDPOINT_MEMBERS, where, refuses_unknown=strict)
    shown: dict[str, Any] = {"uri": text(given.get("uri"), f"{where}.uri")}
    for name in ("headers", "payload-properties"):
        texts = mapping(given.get(name), f"{where}.{name}")
        shown[name] = {key: text(one, f"{where}.{name}: {key[:40]}") for key, one in texts.items()}
    return without_empty(shown)
