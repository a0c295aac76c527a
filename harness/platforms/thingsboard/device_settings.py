"""The `devices` block of a file as the settings of ThingsBoard's devices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from fleetrig.harness.scenario_file.scenario import Devices
from fleetrig.simulator.contract.mqtt import MqttVersion
from fleetrig.simulator.flows.thingsboard.settings import ThingsBoardSettings

MQTT_VERSIONS: Final = {"3.1": MqttVersion.V31, "3.1.1": MqttVersion.V311, "5": MqttVersion.V5}
AS_THEY_ARE: Final = (
    "asks_in_protobuf", "names_itself", "telemetry", "telemetry_messages", "failure_tries", "login_tries",
    "provisions_anew",
)  # fmt: skip
"""Keys that the file and the flow call alike."""


def device_settings(devices: Devices, url: Callable[[str], str], children: tuple[str, ...]) -> ThingsBoardSettings:
    """`url` says where devices reach the server over a transport. Raises UsageError for what no device could do.

    `start_spread` is the bench's, which switches devices on over so long; but those in the place of programs do it
    themselves, as programs have to.
    """
    given = {name: getattr(devices, name, None) for name in (*AS_THEY_ARE, "mqtt_version", "keep_alive")}
    telemetry_over = getattr(devices, "telemetry_over", None)
    is_gateway = bool(children) or bool(getattr(devices, "gateway", None))
    usual = ThingsBoardSettings(
        provision_url=url(devices.over),
        telemetry_url=url(telemetry_over) if telemetry_over else "",
        children=children if is_gateway else None,
        telemetry_interval_s=devices.interval_s,
        timeout_s=devices.timeout_s,
        backoff=devices.backoff.to_backoff(),
        start_spread_s=devices.start_spread_s if devices.external else 0.0,
        stays_on=devices.external,
    )
    return replace(usual, **_changes(given))


def _changes(given: dict[str, Any]) -> dict[str, Any]:
    changes = {name: given[name] for name in AS_THEY_ARE if given[name] is not None}
    if given["mqtt_version"] is not None:
        changes["mqtt_version"] = MQTT_VERSIONS[given["mqtt_version"]]
    if given["keep_alive"] is not None:
        changes["keep_alive_s"] = int(given["keep_alive"])
    return changes
