"""Firmware and software over CoAP (spec 3.4, OtaPackageTransportResource)."""

from __future__ import annotations

import re
from typing import Final

from fleetrig.reference_server.platform import Reaction
from fleetrig.reference_server.platforms.thingsboard.coap.answers import (
    BAD_REQUEST,
    CONTENT,
    INTERNAL_ERROR,
    NOT_FOUND,
    answer,
    refusal,
)
from fleetrig.reference_server.platforms.thingsboard.coap.paths import query_of
from fleetrig.reference_server.platforms.thingsboard.device_api.said import count
from fleetrig.reference_server.platforms.thingsboard.state.message_limits import TooManyMessages
from fleetrig.reference_server.platforms.thingsboard.state.ota_packages import PackageType, chunk_of, package_for
from fleetrig.reference_server.platforms.thingsboard.state.records import Device
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.coap import CoapRequest, CoapResponse
from fleetrig.simulator.contract.session import Session

NUMBER: Final = re.compile(r"[+-]?[0-9]{1,9}", re.ASCII)


def read_package(
    registry: Registry, session: Session, request: CoapRequest, device: Device, prefix: str, now_us: int
) -> Reaction:
    """2.05 with the bytes alone, 4.04 when none is assigned, 4.00 for another title or version."""
    try:
        count(registry, device, now_us)
    except TooManyMessages as many:
        return refusal(session, request, INTERNAL_ERROR, str(many), device.name)
    kind = PackageType.FIRMWARE if prefix == PackageType.FIRMWARE.key else PackageType.SOFTWARE
    package = package_for(registry, device, kind)
    if package is None or package.blob is None:
        return refusal(session, request, NOT_FOUND, f"no {kind.lower()} is assigned to the device", device.name)
    query = query_of(request)
    if any(query.get(name, own) != own for name, own in (("title", package.title), ("version", package.version))):
        why = f"another {kind.lower()} is assigned to the device: {package.title} {package.version}"
        return refusal(session, request, BAD_REQUEST, why, device.name)
    size, number = query.get("size", "0"), query.get("chunk", "0")
    if not NUMBER.fullmatch(size) or not NUMBER.fullmatch(number):
        return refusal(session, request, INTERNAL_ERROR, "size and chunk are decimal numbers", device.name)
    data = body_bytes(chunk_of(registry, package, int(size), int(number)))
    return answer(session, request, CoapResponse(CONTENT, data), device=device.name)
