"""What a gateway says of itself: BIRTH, APPS and DC (spec 2.2).

BIRTH is encoded once for each device; what changes, the time and how long it has been on, is put in front of that.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

from fleetrig.simulator.effects import Effect, Outcome
from fleetrig.simulator.flows.kura import codec, protobuf
from fleetrig.simulator.flows.kura.components import CloudService
from fleetrig.simulator.flows.kura.life import GatewayLife
from fleetrig.simulator.flows.kura.naming import with_colons
from fleetrig.simulator.flows.kura.payload import NOWHERE, KuraPayload, Metric, string
from fleetrig.simulator.flows.kura.settings import HANDLERS
from fleetrig.simulator.flows.kura.store import LIFECYCLE

BIRTH, APPS, DC = "BIRTH", "APPS", "DC"
DEBOUNCE_S: Final = 30.0
OWN: Final = "own"


def applications(life: GatewayLife) -> tuple[str, ...]:
    return (*life.settings.applications, *HANDLERS)


def display_name(cloud: CloudService, model_name: str, host_name: str) -> str:
    """`server` leaves it to the platform: it is empty then, and the platform keeps what it has."""
    match cloud.display_name:
        case "custom":
            return cloud.custom_name
        case "hostname":
            return host_name
        case "server":
            return ""
        case _:
            return model_name


def own_metrics(life: GatewayLife) -> dict[str, Metric]:
    """All that does not change while the gateway is on, all of the type STRING."""
    hardware, cloud = life.settings.hardware, life.cloud
    java, interface = "17.0.1", f"eth0 ({with_colons(life.mac)})"
    found = {
        "model_name": hardware.model_name, "model_id": hardware.model_id, "part_number": hardware.part_number,
        "serial_number": life.serial_number, "available_processors": "4", "total_memory": "1048576",
        "firmware_version": hardware.firmware_version, "cpu_version": "ARMv8", "bios_version": hardware.bios_version,
        "os": "Linux", "os_version": "6.1", "os_arch": "aarch64", "jvm_name": "OpenJDK 64-Bit Server VM",
        "jvm_version": f"{java} mixed mode", "jvm_profile": f"OpenJDK {java}", "jvm_vendor": "OpenJDK",
        "jdk_vendor_version": "OpenJDK-17", "kura_version": hardware.kura_version, "application_framework": "Kura",
        "application_framework_version": hardware.kura_version, "osgi_framework": "org.eclipse.osgi",
        "osgi_framework_version": "1.10.0", "connection_interface": interface,
        "connection_ip": hardware.connection_ip, "accept_encoding": "gzip" if cloud.encode_gzip else "",
        "application_ids": ",".join(applications(life)),
        "payload_encoding": "SIMPLE_JSON" if cloud.payload_encoding == codec.SIMPLE_JSON else "KURA_PROTOBUF",
        "display_name": display_name(cloud, hardware.model_name, life.device.serial),
    }  # fmt: skip
    return {name: string(value) for name, value in found.items()}


def uptime(life: GatewayLife) -> dict[str, Metric]:
    return {"uptime": string(str(int(life.now_s * 1_000)))}


def lifecycle_topic(life: GatewayLife, suffix: str) -> str:
    return f"{life.cloud.control_prefix}/#account-name/#client-id/MQTT/{suffix}"


def birth_bytes(life: GatewayLife, at_ms: int) -> bytes:
    """As it goes out: what protobuf has put together may be put together again (the fields are just joined)."""
    if life.cloud.payload_encoding == codec.SIMPLE_JSON:
        payload = KuraPayload(at_ms, NOWHERE, {**own_metrics(life), **uptime(life)})
        return codec.to_wire(payload, encoding=codec.SIMPLE_JSON, gzips=False)
    own = life.birth_parts.get(OWN)
    if own is None:
        own = life.birth_parts[OWN] = protobuf.encode(KuraPayload(metrics=own_metrics(life)))
    plain = protobuf.encode(KuraPayload(at_ms, NOWHERE, uptime(life))) + own
    return codec.shorter(plain) if life.cloud.encode_gzip else plain


def say_birth(life: GatewayLife) -> Generator[Effect, Outcome, None]:
    """Puts it into the store, before everything else."""
    at_ms = yield from life.clock_ms()
    life.store.put("birth", lifecycle_topic(life, BIRTH), birth_bytes(life, at_ms), qos=1, priority=LIFECYCLE)


def say_apps(life: GatewayLife) -> Generator[Effect, Outcome, None]:
    """What was to be said when applications changed last; only its time is new."""
    at_ms = yield from life.clock_ms()
    payload = KuraPayload(at_ms, NOWHERE, life.apps_copy or {})
    data = codec.to_wire(payload, encoding=life.cloud.payload_encoding, gzips=life.cloud.encode_gzip)
    life.store.put("apps", lifecycle_topic(life, APPS), data, qos=1, priority=LIFECYCLE)


def dc_bytes(life: GatewayLife, at_ms: int) -> bytes:
    name = display_name(life.cloud, life.settings.hardware.model_name, life.device.serial)
    payload = KuraPayload(at_ms, metrics={"display_name": string(name), **uptime(life)})
    return codec.to_wire(payload, encoding=life.cloud.payload_encoding, gzips=life.cloud.encode_gzip)


def say_again_later(life: GatewayLife, *, apps: bool = False) -> None:
    """Something has changed: BIRTH, or APPS for applications alone, once nothing more has changed for 30 s.

    One timer serves both; after the first APPS a copy of it follows every later BIRTH, stale as it is (spec 2.2).
    """
    if apps:
        life.apps_copy = {**own_metrics(life), **uptime(life)}
    life.announces_birth = life.announces_birth or not apps
    number = life.announcement = life.announcement + 1
    life.later(DEBOUNCE_S, lambda: _said_again(life, number))


def _said_again(life: GatewayLife, number: int) -> Generator[Effect, Outcome, None]:
    if life.announcement != number:
        return  # something has changed since
    if life.announces_birth:
        life.announces_birth = False
        yield from say_birth(life)
    if life.apps_copy is not None:
        yield from say_apps(life)
