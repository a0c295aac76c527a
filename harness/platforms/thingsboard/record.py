"""A device as the registry shows it, under the words of scenario files."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.platform import Record
from fleetrig.harness.platforms.thingsboard.admin import PROVISION_STATE, ThingsBoardAdmin, id_of
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.drivers.director import AdminCall

PROVISIONED: Final = "provisioned"
OF_CREDENTIALS: Final = frozenset({"token", "credentials_type"})


def read_record(
    admin: ThingsBoardAdmin, serial: str, wanted: frozenset[str], prefix: str = ""
) -> AdminCall[Record | None]:
    """Attributes are those of the server's scope; `provisionState` says the state (spec 2)."""
    device = yield from admin.device(serial)
    if device is None:
        return None
    attributes = yield from admin.attributes(id_of(device))
    credentials = (yield from admin.credentials(id_of(device))) if wanted & OF_CREDENTIALS else {}
    fields: dict[str, Json] = {
        "credentials_type": credentials.get("credentialsType"),
        "profile": str(device.get("type")).removeprefix(prefix),
        "is_gateway": bool((device.get("additionalInfo") or {}).get("gateway")),
    }
    state = PROVISIONED if attributes.get(PROVISION_STATE) == PROVISIONED else "imported"
    shown = {key: str(value) for key, value in attributes.items()}
    return Record(serial, state, shown, fields, credentials.get("credentialsId"))
