"""The `devices` block of a file as the settings of Hono's devices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from fleetrig.harness.scenario_file.scenario import Devices
from fleetrig.harness.servers.address import is_loopback
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.mqtt import MqttVersion
from fleetrig.simulator.flows.hono.settings import Endpoint, HonoSettings
from fleetrig.simulator.transports.loopback_names import server_name_in

BELOW_LOOPBACK: Final = "sni.localhost"
"""Our own server's certificate is good for names below it."""

MQTT_VERSIONS: Final = {"3.1.1": MqttVersion.V311, "5": MqttVersion.V5}
AS_THEY_ARE: Final = ("at_least_once", "telemetry", "telemetry_messages", "refused_tries", "conflict_tries")
"""Keys that the file and the flow call alike."""
OTHERWISE: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "endpoint": ("endpoint", Endpoint),
    "mqtt_version": ("mqtt_version", MQTT_VERSIONS.__getitem__),
    "keep_alive": ("keep_alive_s", int),
    "waits_for_commands": ("ttd_s", int),
}
"""Key of the file -> that of the flow, and how its value is read."""


def device_settings(
    devices: Devices, url: Callable[[str], str], children: tuple[str, ...], tenant: str = ""
) -> HonoSettings:
    """`url` says where devices reach the server over a transport. Raises UsageError for what no device could do.

    Devices that name their `tenant` in handshakes reach it by a name of its own.

    `start_spread` is the bench's, which switches devices on over so long; but those in the place of programs do it
    themselves, as programs have to.
    """
    is_gateway = bool(children) or bool(getattr(devices, "gateway", None))
    place = url(devices.over)
    usual = HonoSettings(
        with_tenant(place, tenant) if getattr(devices, "names_tenant", None) else place,
        edge_devices=children if is_gateway else None,
        telemetry_interval_s=devices.interval_s,
        timeout_s=devices.timeout_s,
        backoff=devices.backoff.to_backoff(),
        start_spread_s=devices.start_spread_s if devices.external else 0.0,
        stays_on=devices.external,
    )
    return replace(usual, **_changes(devices))


def _changes(devices: Devices) -> dict[str, Any]:
    given = {name: getattr(devices, name, None) for name in (*AS_THEY_ARE, *OTHERWISE)}
    changes = {name: given[name] for name in AS_THEY_ARE if given[name] is not None}
    for name, (word, read) in OTHERWISE.items():
        if given[name] is not None:
            changes[word] = read(given[name])
    return changes


def with_tenant(url: str, tenant: str) -> str:
    """`https://host:8443` -> `https://tenant.host:8443`. No name stands before an address, but this machine has some.

    Raises UsageError.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not server_name_in(url) and not is_loopback(host):
        raise UsageError(f"names_tenant: {url} is an address, and a tenant is named before a host's name")
    below = BELOW_LOOPBACK if is_loopback(host) else host
    return f"{parts.scheme}://{tenant}.{below}" + (f":{parts.port}" if parts.port else "")
