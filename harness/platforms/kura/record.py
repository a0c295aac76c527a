"""A gateway as the server's records show it, under the words of scenario files.

It may be known in several accounts: the one where it is connected counts, or else where it was last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fleetrig.harness.platform import Record
from fleetrig.harness.platforms.kura.admin import JsonDict
from fleetrig.harness.platforms.kura.kura_run import KuraRun
from fleetrig.harness.platforms.kura.request_calls import find_request
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.drivers.director import AdminCall

REQUESTED: Final = "requested"
REGISTERED: Final = "registered"
PROVISIONED: Final = "provisioned"
DISABLED: Final = "disabled"
COMPLETED: Final = "COMPLETED"
CONNECTED: Final = "CONNECTED"
NONE: Final = "none"

OF_EVENTS: Final = frozenset({"events", "last_event", "births"})
OF_USERS: Final = frozenset({"user_name", "is_locked"})
OF_OPTIONS: Final = frozenset({"coupling", "allow_user_change"})


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one account knows of a client id."""

    account: str
    scope: str
    device: JsonDict | None
    connection: JsonDict | None

    @property
    def status(self) -> str:
        return NONE if self.connection is None else str(self.connection.get("status", NONE))

    @property
    def is_there(self) -> bool:
        return self.device is not None or self.connection is not None

    @property
    def rank(self) -> tuple[bool, bool, str]:
        """The highest is where the device is."""
        since = "" if self.connection is None else str(self.connection.get("modifiedOn", ""))
        return self.status == CONNECTED, self.is_there, since


def read_record(run: KuraRun, serial: str, wanted: frozenset[str]) -> AdminCall[Record | None]:
    """None for what neither a request nor an account speaks of."""
    seen = yield from sightings(run, serial)
    here = max(seen, key=lambda one: one.rank)
    request = yield from newest_request(run, serial)
    if here.device is None and request is None:
        return None
    fields: dict[str, Json] = {
        "account": here.account if here.is_there else None,
        "connection": here.status,
        "connections": {one.account: one.status for one in seen if one.connection is not None},
        "client_id": (here.device or request or {}).get("clientId"),
        **request_fields(request),
        **device_fields(here.device or {}),
    }
    fields |= yield from further_fields(run, serial, here, wanted)
    return Record(serial, state_of(here.device, request), {}, fields)


def sightings(run: KuraRun, serial: str) -> AdminCall[list[Sighting]]:
    client_id, found = run.names(serial).client_id, []
    for account, scope in run.scopes.items():
        device = yield from run.admin.device(scope, client_id)
        connection = yield from run.admin.connection(scope, client_id)
        found.append(Sighting(account, scope, device, connection))
    return found


def newest_request(run: KuraRun, serial: str) -> AdminCall[JsonDict | None]:
    """The one that the run has made last for the device, wherever."""
    made = run.requests.get(run.names(serial).serial)
    if made is None:
        return None
    return (yield from find_request(run.admin, run.scope(made.account), run.names(serial).client_id))


def state_of(device: Mapping[str, Any] | None, request: Mapping[str, Any] | None) -> str:
    if device is None:
        return REQUESTED
    if device.get("status") == "DISABLED":
        return DISABLED
    return PROVISIONED if job_of(request).get("status") == COMPLETED else REGISTERED


def job_of(request: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return (request or {}).get("provisionJob") or {}


def request_fields(request: Mapping[str, Any] | None) -> dict[str, Json]:
    job = job_of(request)
    return {
        "request": (request or {}).get("status", NONE),
        "job": job.get("status", NONE),
        "job_retries": job.get("retryCount", 0),
        "has_activation_key": bool((request or {}).get("activationKey")),
    }


def device_fields(device: Mapping[str, Any]) -> dict[str, Json]:
    """What BIRTH has said (spec 5.5)."""
    return {
        "serial_number": device.get("serialNumber"),
        "display_name": device.get("displayName"),
        "application_ids": device.get("applicationIdentifiers"),
    }


def further_fields(run: KuraRun, serial: str, here: Sighting, wanted: frozenset[str]) -> AdminCall[dict[str, Json]]:
    """What costs a call of its own."""
    fields: dict[str, Json] = {}
    if wanted & OF_EVENTS:
        fields |= event_fields((yield from events_of(run, here)))
    if wanted & OF_USERS:
        fields |= yield from user_fields(run, serial, here)
    if wanted & OF_OPTIONS and here.connection is not None:
        connection = here.connection
        fields |= {
            "coupling": connection.get("userCouplingMode"),
            "allow_user_change": bool(connection.get("allowUserChange")),
        }
    if "account_devices" in wanted:
        fields["account_devices"] = yield from run.admin.count(f"{here.scope}/devices")
    return fields


def events_of(run: KuraRun, here: Sighting) -> AdminCall[list[str]]:
    """The kinds of all events of a device, the oldest first."""
    if here.device is None:
        return []
    listed = yield from run.admin.listed(f"{here.scope}/devices/{run.admin.part(here.device, str, 'id')}/events")
    return [str(one.get("resource")) for one in sorted(listed, key=lambda one: str(one.get("receivedOn", "")))]


def event_fields(kinds: list[str]) -> dict[str, Json]:
    return {
        "events": tuple(sorted(set(kinds))),  # type: ignore[dict-item]  # compared with a tuple of the file
        "last_event": kinds[-1] if kinds else NONE,
        "births": kinds.count("BIRTH"),
    }


def user_fields(run: KuraRun, serial: str, here: Sighting) -> AdminCall[dict[str, Json]]:
    """`user_name`: with whom the device signed in to its account last. Locked may be any user that it has."""
    name = NONE
    if user_id := (here.connection or {}).get("userId"):
        user = yield from run.admin.call("GET", f"/v1/{here.scope}/users/{user_id}", expect=(200, 404))
        name = str((user or {}).get("name", NONE))
    credentials: list[JsonDict] = []
    for scope, one in (yield from users_of(run, serial)):
        credentials += yield from run.admin.credentials(scope, one)
    locked = any(is_locked(one, run.context.driver.now_us()) for one in credentials)
    return {"user_name": name.removeprefix(run.context.prefix), "is_locked": locked}


def users_of(run: KuraRun, serial: str) -> AdminCall[list[tuple[str, str]]]:
    """Pairs of scope and user id: those that a device presents, in whatever account, and those of its connections."""
    found: dict[tuple[str, str], None] = {}
    provisioning = yield from run.admin.account_id(run.provision_account)
    for scope in (*run.scopes.values(), *([provisioning] if provisioning else [])):
        for name in (run.names(serial).user_name, run.user_name(serial)):
            user = yield from run.admin.user(scope, name)
            if user is not None:
                found[scope, run.admin.part(user, str, "id")] = None
    for scope in run.scopes.values():
        connection = yield from run.admin.connection(scope, run.names(serial).client_id)
        if connection is not None and connection.get("userId"):
            found[scope, str(connection["userId"])] = None
    return list(found)


def is_locked(credential: Mapping[str, Any], now_us: int) -> bool:
    """Too many wrong passwords came, and it is not yet good again."""
    until = credential.get("lockoutReset")
    return bool(until) and datetime.fromisoformat(str(until)).timestamp() * US_PER_S > now_us


def known_device(run: KuraRun, serial: str) -> AdminCall[str]:
    """The path of the device where it is: `SCOPE/devices/ID`.

    Raises BrokenBench for a device that no account knows: nothing would be tried then.
    """
    here = max((yield from sightings(run, serial)), key=lambda one: one.rank)
    if here.device is None:
        raise BrokenBench(f"{run.context.server.name} knows no device {serial}")
    return f"{here.scope}/devices/{run.admin.part(here.device, str, 'id')}"


def known_connection(run: KuraRun, serial: str) -> AdminCall[tuple[str, JsonDict]]:
    """The path of the device's connection, and what it says. Raises BrokenBench where there is none."""
    here = max((yield from sightings(run, serial)), key=lambda one: one.rank)
    if here.connection is None:
        raise BrokenBench(f"{run.context.server.name} knows no connection of {serial}")
    return f"{here.scope}/deviceconnections/{run.admin.part(here.connection, str, 'id')}", here.connection
