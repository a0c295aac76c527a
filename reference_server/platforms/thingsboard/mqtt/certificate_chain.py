"""X509_CERTIFICATE_CHAIN: who is known or made by the certificates of a TLS handshake (spec 2.4).

The handshake fails for what is no chain, and for nothing else: who finds no device is refused at its CONNECT.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from fleetrig.reference_server.platform import ACCEPTED, HandshakeAnswer
from fleetrig.reference_server.platforms.thingsboard.mqtt.peer_certificates import (
    chain_flaw,
    common_name_of,
    readable,
    text_of,
)
from fleetrig.reference_server.platforms.thingsboard.provisioning.request import ProvisionRequest
from fleetrig.reference_server.platforms.thingsboard.state import events
from fleetrig.reference_server.platforms.thingsboard.state.attributes import (
    PROVISION_STATE,
    PROVISIONED,
    put_attributes,
)
from fleetrig.reference_server.platforms.thingsboard.state.credential_forms import FormedCredentials, sha3
from fleetrig.reference_server.platforms.thingsboard.state.devices import (
    NewDevice,
    create_device,
    credentials_by_id,
    credentials_of,
    device_by_id,
    device_named,
    save_credentials,
)
from fleetrig.reference_server.platforms.thingsboard.state.errors import RuleBroken
from fleetrig.reference_server.platforms.thingsboard.state.events import EventType
from fleetrig.reference_server.platforms.thingsboard.state.profiles import profile_by_key
from fleetrig.reference_server.platforms.thingsboard.state.records import (
    CredentialsType,
    Device,
    DeviceProfile,
    ProvisionType,
    Scope,
)
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry
from fleetrig.simulator.contract.handshake import TlsAlert

UNKNOWN: Final = "no device has a certificate of this chain, and no profile is backed by one"


@dataclass(frozen=True)  # no slots: exceptions are given a traceback
class ChainRefused(Exception):
    """The profile of the chain does not let this device in."""

    reason: str


def judge_chain(registry: Registry, chain: tuple[bytes, ...], now_us: int) -> HandshakeAnswer:
    """`chain` as the peer has sent it, its own certificate first."""
    if any(readable(der) is None for der in chain):
        return HandshakeAnswer(TlsAlert.BAD_CERTIFICATE, reason="a certificate of the chain cannot be read")
    if flaw := chain_flaw(chain):
        return HandshakeAnswer(TlsAlert.CERTIFICATE_UNKNOWN, reason=flaw)
    return _look_up(registry, chain, now_us) if registry.traits.has_certificate_chain else ACCEPTED


def _look_up(registry: Registry, chain: tuple[bytes, ...], now_us: int) -> HandshakeAnswer:
    """From the leaf upwards: a device's certificate, or one that backs a profile."""
    for der in chain:
        certificate_id = sha3(text_of(der))
        known = credentials_by_id(registry, certificate_id)
        if known is not None and known.type is CredentialsType.X509_CERTIFICATE:
            device = device_by_id(registry, known.device_id)
            return HandshakeAnswer(device="" if device is None else device.name)
        profile = profile_by_key(registry, certificate_id)
        if profile is not None and profile.provision_type is ProvisionType.CERTIFICATE_CHAIN:
            return _provision(registry, profile, chain[0], now_us)
    return HandshakeAnswer(reason=UNKNOWN)


def _provision(registry: Registry, profile: DeviceProfile, leaf: bytes, now_us: int) -> HandshakeAnswer:
    name = ""
    try:
        name = _device_name(profile, common_name_of(leaf))
        device = device_named(registry, profile.tenant_id, name) if name else None
        if device is not None and device.profile_id == profile.id:
            return _rotate(registry, device, leaf)
        if profile.provision_configuration.get("allowCreateNewDevicesByX509Certificate") is not True:
            raise ChainRefused(f"there is no device {name!r}, and the profile {profile.name} creates none")
        return _create(registry, profile, name or registry.new_word(), leaf, now_us)
    except ChainRefused as refused:
        return HandshakeAnswer(reason=refused.reason, device=name)


def _device_name(profile: DeviceProfile, common_name: str) -> str:
    """The first group of the first match in the leaf's common name (S80)."""
    pattern = str(profile.provision_configuration.get("certificateRegExPattern") or "")
    try:
        found = re.search(pattern, common_name)
        if found is not None:
            return found[1] or ""
    except (re.error, IndexError):
        pass
    raise ChainRefused(f"the common name {common_name!r} has no name by the pattern {pattern!r} of {profile.name}")


def _rotate(registry: Registry, device: Device, leaf: bytes) -> HandshakeAnswer:
    """The new leaf in place of the old one (S76); credentials of another kind stay (S107)."""
    stored = credentials_of(registry, device.id)
    if stored is None or stored.type is not CredentialsType.X509_CERTIFICATE:
        raise ChainRefused(f"the device {device.name} has credentials of another kind, which stay as they are")
    try:
        save_credentials(registry, stored, _formed(leaf))
    except RuleBroken as broken:
        raise ChainRefused(broken.message) from None
    return HandshakeAnswer(device=device.name, changed="certificate replaced by that of the chain")


def _create(registry: Registry, profile: DeviceProfile, name: str, leaf: bytes, now_us: int) -> HandshakeAnswer:
    try:
        device = create_device(registry, profile, NewDevice(name, _formed(leaf)), now_us)
    except RuleBroken as broken:
        raise ChainRefused(f"the device {name!r} cannot be created: {broken.message}") from None
    put_attributes(registry, device.id, Scope.SERVER, {PROVISION_STATE: PROVISIONED}, now_us)
    request = ProvisionRequest(
        device_name=name, credentials_type=CredentialsType.X509_CERTIFICATE, certificate=text_of(leaf)
    )
    events.note(registry, device.id, EventType.ENTITY_CREATED, {"name": name, "type": device.type}, now_us)
    events.note(registry, device.id, EventType.PROVISION_SUCCESS, request.as_event, now_us)
    return HandshakeAnswer(device=device.name, changed="device created by a certificate chain")


def _formed(leaf: bytes) -> FormedCredentials:
    text = text_of(leaf)
    return FormedCredentials(CredentialsType.X509_CERTIFICATE, sha3(text), text)
