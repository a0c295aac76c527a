"""Firmware and software over MQTT, chunk by chunk (spec 3.6)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, TypeVar

from fleetrig.reference_server.mqtt_sessions.application import PublishAnswer
from fleetrig.reference_server.mqtt_sessions.client_state import ClientState
from fleetrig.reference_server.mqtt_sessions.reason_codes import MqttReason
from fleetrig.reference_server.mqtt_sessions.sessions import MqttSessions
from fleetrig.reference_server.platforms.thingsboard.device_api.said import count
from fleetrig.reference_server.platforms.thingsboard.mqtt.refusals import failed
from fleetrig.reference_server.platforms.thingsboard.mqtt.topics import qos_of
from fleetrig.reference_server.platforms.thingsboard.state.ota_packages import (
    OtaPackage,
    PackageType,
    chunk_of,
    package_by_id,
    package_for,
)
from fleetrig.reference_server.platforms.thingsboard.state.records import Device
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.mqtt import MqttPublish

T = TypeVar("T")

REQUEST: Final = re.compile(r"v2/(fw|sw)/request/([0-9]+)/chunk/([0-9]+)", re.ASCII)
ERROR_TOPIC: Final = "v2/fw/error"
"""Of software too."""
SIZE: Final = re.compile(r"[+-]?[0-9]{1,9}", re.ASCII)
REQUESTS_KEPT: Final = 100
"""Of one session; a device has one or two."""


@dataclass(slots=True)
class Downloads:
    """What a session's requests have begun with: a package stays the same though another is assigned meanwhile."""

    packages: dict[str, str] = field(default_factory=dict)
    sizes_bytes: dict[str, int] = field(default_factory=dict)


class PackageChunks:
    def __init__(self, registry: Registry, sessions: MqttSessions) -> None:
        self._registry = registry
        self._sessions = sessions

    def published(
        self, client: ClientState, device: Device, publish: MqttPublish, downloads: Downloads, now_us: int
    ) -> PublishAnswer | None:
        """None when the topic asks for no chunk. The payload is the size of a chunk, once; empty: all of it."""
        asked = REQUEST.search(publish.topic)
        if asked is None:
            return None
        text = publish.payload.decode("utf-8", "replace")
        if text and not SIZE.fullmatch(text):
            return failed(f"the size of a chunk is a decimal number, got {text[:50]!r}")
        prefix, request, number = asked.groups()
        kind = PackageType.FIRMWARE if prefix == PackageType.FIRMWARE.key else PackageType.SOFTWARE
        size_bytes = self._size_bytes(downloads, request, int(text or 0))
        if size_bytes > self._registry.settings.payload_bytes:
            return self._error(client, "PAYLOAD_TOO_LARGE", now_us)
        package = self._package(device, downloads, request, kind, now_us)
        if package is None or package.blob is None:
            return self._error(client, "NOT_FOUND" if package is None else "FAILURE", now_us)
        topic = f"v2/{prefix}/response/{request}/chunk/{int(number)}"
        data = body_bytes(chunk_of(self._registry, package, size_bytes, int(number)))
        outputs = self._sessions.send(client, MqttPublish(topic, data, qos_of(client, topic)), now_us)
        return PublishAnswer(outputs=outputs)

    def _size_bytes(self, downloads: Downloads, request: str, given: int) -> int:
        if given > 0:
            _remember(downloads.sizes_bytes, request, given)
            return given
        return downloads.sizes_bytes.get(request, 0)

    def _package(
        self, device: Device, downloads: Downloads, request: str, kind: PackageType, now_us: int
    ) -> OtaPackage | None:
        known = downloads.packages.get(request)
        if known is not None:
            return package_by_id(self._registry, known)
        count(self._registry, device, now_us)
        package = package_for(self._registry, device, kind)
        if package is not None and package.blob is not None:
            _remember(downloads.packages, request, package.id)
        return package

    def _error(self, client: ClientState, said: str, now_us: int) -> PublishAnswer:
        """Told on a topic, and the end."""
        error = MqttPublish(ERROR_TOPIC, said.encode(), qos_of(client, ERROR_TOPIC))
        code = MqttReason.IMPLEMENTATION_SPECIFIC_ERROR
        outputs = self._sessions.send(client, error, now_us)
        reason = f"no chunk of a package: {said}"
        return PublishAnswer(code, is_acknowledged=False, ends=True, outputs=outputs, reason=reason)


def _remember(known: dict[str, T], name: str, value: T) -> None:
    known[name] = value
    if len(known) > REQUESTS_KEPT:
        del known[next(iter(known))]
