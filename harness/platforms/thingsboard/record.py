"""A device as the registry shows it, under the words of scenario files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fleetrig.harness.platform import Record
from fleetrig.harness.platforms.thingsboard.admin import PROVISION_STATE, JsonDict, ThingsBoardAdmin, id_of
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.drivers.director import AdminCall

PROVISIONED: Final = "provisioned"
OF_CREDENTIALS: Final = frozenset({"token", "credentials_type"})
NOT_RENAMED: Final[Mapping[str, str]] = {}


def read_record(
    admin: ThingsBoardAdmin,
    serial: str,
    wanted: frozenset[str],
    prefix: str = "",
    renamed: Mapping[str, str] = NOT_RENAMED,
) -> AdminCall[Record | None]:
    """Attributes are those of the server's scope; `provisionState` says the state (spec 2).

    The record of a device that was `renamed` is looked for under its own name first.
    """
    device = yield from find_device(admin, serial, renamed)
    if device is None:
        return None
    attributes = yield from admin.attributes(id_of(device))
    credentials = (yield from admin.credentials(id_of(device))) if wanted & OF_CREDENTIALS else {}
    latest: Json = dict((yield from admin.latest(id_of(device)))) if "latest" in wanted else None
    fields: dict[str, Json] = {
        "credentials_type": credentials.get("credentialsType"),
        "profile": str(device.get("type")).removeprefix(prefix),
        "is_gateway": bool((device.get("additionalInfo") or {}).get("gateway")),
        "name": device.get("name"),
        "latest": latest,
    }
    state = PROVISIONED if attributes.get(PROVISION_STATE) == PROVISIONED else "imported"
    shown = {key: str(value) for key, value in attributes.items()}
    return Record(serial, state, shown, fields, credentials.get("credentialsId"))


def find_device(
    admin: ThingsBoardAdmin, serial: str, renamed: Mapping[str, str] = NOT_RENAMED
) -> AdminCall[JsonDict | None]:
    """Under its own name, or the one that an operator has given it; None when there is neither."""
    device = yield from admin.device(serial)
    if device is None and serial in renamed:
        device = yield from admin.device(renamed[serial])
    return device
