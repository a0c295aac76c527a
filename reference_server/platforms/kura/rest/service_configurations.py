"""What an account decides for itself: `/v1/{scope}/serviceConfigurations` (spec 5.1, 5.4), by Kapua's pids and names.

Other services and properties are taken and mean nothing here. `allowNewUnprovisionedDevices` is this server's own name
for the switch that the console calls "allow new not-provisioned devices" (1.5).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from fleetrig.reference_server.platforms.kura.rest.call import Call
from fleetrig.reference_server.platforms.kura.rest.forms import flag, inner, needed_text, objects, texts, whole, word
from fleetrig.reference_server.platforms.kura.rest.replies import Reply, done
from fleetrig.reference_server.platforms.kura.state.accounts import set_account_settings
from fleetrig.reference_server.platforms.kura.state.errors import illegal
from fleetrig.reference_server.platforms.kura.state.records import AccountSettings, CouplingMode

DEVICES: Final = "org.eclipse.kapua.service.device.registry.DeviceRegistryService"
CONNECTIONS: Final = "org.eclipse.kapua.service.device.registry.connection.DeviceConnectionService"
CREDENTIALS: Final = "org.eclipse.kapua.service.authentication.credential.CredentialService"
MODES: Final = (CouplingMode.LOOSE.value, CouplingMode.STRICT.value)
MOST: Final = 1_000_000_000

Said = Mapping[str, str]
Shown = dict[str, tuple[str, str]]
"""Property -> (type, value)."""


def read_all(call: Call) -> Reply:
    components = [_component(pid, shown(call.scope.settings)) for pid, shown in SHOWN.items()]
    return Reply({"type": "serviceConfiguration", "configuration": components})


def read(call: Call) -> Reply:
    pid = call.values["service"]
    shown = SHOWN.get(pid)
    return Reply(_component(pid, {} if shown is None else shown(call.scope.settings)))


def update(call: Call) -> Reply:
    return _saved(call, _taken(call.scope.settings, call.values["service"], call.document))


def update_all(call: Call) -> Reply:
    settings = call.scope.settings
    for one in objects(call.document, "configuration"):
        settings = _taken(settings, needed_text(one, "id"), one)
    return _saved(call, settings)


def _saved(call: Call, settings: AccountSettings) -> Reply:
    set_account_settings(call.registry, call.scope, settings)
    return done(f"settings of account {call.scope.name} changed")


def _taken(settings: AccountSettings, pid: str, document: Mapping[str, Any]) -> AccountSettings:
    """The settings with what a component says. Raises Refused."""
    take = TAKEN.get(pid)
    if take is None:
        return settings
    said = {}
    for one in objects(inner(document, "properties"), "property"):
        values = texts(one, "value")
        if values:
            said[needed_text(one, "name")] = values[0]
    return take(settings, said)


def _take_devices(settings: AccountSettings, said: Said) -> AccountSettings:
    return replace(
        settings,
        infinite_devices=flag(said, "infiniteChildEntities", default=settings.infinite_devices),
        max_devices=_number(said, "maxNumberChildEntities", settings.max_devices),
        allows_unprovisioned=flag(said, "allowNewUnprovisionedDevices", default=settings.allows_unprovisioned),
    )


def _take_connections(settings: AccountSettings, said: Said) -> AccountSettings:
    mode = word(said, "deviceConnectionUserCouplingDefaultMode", MODES)
    return settings if mode is None else replace(settings, coupling=CouplingMode(mode))


def _take_credentials(settings: AccountSettings, said: Said) -> AccountSettings:
    policy = settings.lockout
    changed = replace(
        policy,
        is_enabled=flag(said, "lockoutPolicy.enabled", default=policy.is_enabled),
        max_failures=_number(said, "lockoutPolicy.maxFailures", policy.max_failures),
        reset_after_s=_number(said, "lockoutPolicy.resetAfter", policy.reset_after_s),
        lock_s=_number(said, "lockoutPolicy.lockDuration", policy.lock_s),
    )
    return replace(settings, lockout=changed)


TAKEN: Final[Mapping[str, Callable[[AccountSettings, Said], AccountSettings]]] = {
    DEVICES: _take_devices,
    CONNECTIONS: _take_connections,
    CREDENTIALS: _take_credentials,
}


def _show_devices(settings: AccountSettings) -> Shown:
    return {
        "infiniteChildEntities": ("Boolean", _word(settings.infinite_devices)),
        "maxNumberChildEntities": ("Integer", str(settings.max_devices)),
        "allowNewUnprovisionedDevices": ("Boolean", _word(settings.allows_unprovisioned)),
    }


def _show_connections(settings: AccountSettings) -> Shown:
    return {
        "deviceConnectionUserCouplingDefaultMode": ("String", settings.coupling.value),
        "deviceConnectionAuthenticationType": ("String", "USER_PASS"),
    }


def _show_credentials(settings: AccountSettings) -> Shown:
    policy = settings.lockout
    return {
        "lockoutPolicy.enabled": ("Boolean", _word(policy.is_enabled)),
        "lockoutPolicy.maxFailures": ("Integer", str(policy.max_failures)),
        "lockoutPolicy.resetAfter": ("Integer", str(policy.reset_after_s)),
        "lockoutPolicy.lockDuration": ("Integer", str(policy.lock_s)),
    }


SHOWN: Final[Mapping[str, Callable[[AccountSettings], Shown]]] = {
    CREDENTIALS: _show_credentials,
    CONNECTIONS: _show_connections,
    DEVICES: _show_devices,
}


def _component(pid: str, shown: Shown) -> dict[str, Any]:
    properties = [
        {"name": name, "array": False, "encrypted": False, "type": kind, "value": [value]}
        for name, (kind, value) in shown.items()
    ]
    name = pid.rpartition(".")[2]
    return {"type": "serviceComponentConfiguration", "id": pid, "name": name, "properties": {"property": properties}}


def _number(said: Said, name: str, default: int) -> int:
    number = whole(said, name)
    if number is None:
        return default
    if not 0 <= number <= MOST:
        raise illegal(name, str(number), f"a number from 0 to {MOST:,}")
    return number


def _word(value: bool) -> str:
    return "true" if value else "false"
