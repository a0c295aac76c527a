"""Mistakes in certificate chains (S75 to S81, S107 to S110)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fleetrig.reference_server.mqtt_sessions.application import PublishAnswer
from fleetrig.reference_server.mqtt_sessions.reason_codes import MqttReason
from fleetrig.reference_server.platform import HandshakeAnswer
from fleetrig.reference_server.platforms.thingsboard import platform
from fleetrig.reference_server.platforms.thingsboard.mqtt import (
    certificate_chain,
    interface,
    logins,
    provision_sessions,
)
from fleetrig.reference_server.platforms.thingsboard.mqtt.certificate_chain import ChainRefused
from fleetrig.reference_server.platforms.thingsboard.mqtt.interface import MqttInterface
from fleetrig.reference_server.platforms.thingsboard.mqtt.logins import Refused
from fleetrig.reference_server.platforms.thingsboard.mqtt.peer_certificates import common_name_of, readable
from fleetrig.reference_server.platforms.thingsboard.mqtt.provision_sessions import ProvisionSessions
from fleetrig.reference_server.platforms.thingsboard.provisioning import decision
from fleetrig.reference_server.platforms.thingsboard.provisioning.decision import Decision, Status
from fleetrig.reference_server.platforms.thingsboard.rest import authority_certificate
from fleetrig.reference_server.platforms.thingsboard.state import devices, profiles
from fleetrig.reference_server.platforms.thingsboard.state.records import (
    DEVICE_PROFILE,
    INSTALLATION,
    Credentials,
    ProvisionType,
)
from fleetrig.simulator.contract.handshake import TlsAlert
from tests.harness.conformance.code_changes import being, giving, instead, then
from tests.harness.platforms.thingsboard.conformance.mutants import deciding, mutant, with_traits

CHAIN = ProvisionType.CERTIFICATE_CHAIN


def last_certificate(pem: str) -> str:
    found = authority_certificate.CERTIFICATE.findall(pem)
    return str(found[-1]) if found else pem


def in_default_profile(original: Any, registry: Any, profile: Any, *more: Any) -> Any:
    return original(registry, profiles.default_profile(registry, profile.tenant_id), *more)


def never_alone(original: Any, registry: Any, connect: Any, session: Any, now_us: int) -> Any:
    if len(session.certificates) == 1:
        return Refused(MqttReason.NOT_AUTHORIZED, "alone")
    return original(registry, connect, session, now_us)


def not_renewed(*_: Any) -> Any:
    raise ChainRefused("no")


def old_leaf_stays(registry: Any, device: Any, leaf: bytes) -> HandshakeAnswer:
    return HandshakeAnswer(device=device.name)


def known_by_name(original: Any, registry: Any, der: bytes, now_us: int) -> Any:
    """Any certificate will do whose name is that of a device."""
    tenants = registry.store.scan(DEVICE_PROFILE, INSTALLATION)
    tenant_id = next(profile.tenant_id for profile in tenants)
    found = devices.device_named(registry, tenant_id, common_name_of(der))
    return found or original(registry, der, now_us)


def creates_always(original: Any, registry: Any, profile: Any, *more: Any) -> Any:
    data = dict(profile.profile_data)
    data["provisionConfiguration"] = {**profile.provision_configuration, "allowCreateNewDevicesByX509Certificate": True}
    return original(registry, replace(profile, profile_data=data), *more)


def refused_in_handshake(answer: HandshakeAnswer) -> HandshakeAnswer:
    return replace(answer, alert=TlsAlert.CERTIFICATE_UNKNOWN) if answer.reason and answer.alert is None else answer


def refused_later(answer: HandshakeAnswer) -> HandshakeAnswer:
    return replace(answer, alert=None)


def authority_by_name(original: Any, registry: Any, chain: tuple[bytes, ...], now_us: int) -> Any:
    """A leaf whose issuer backs a profile, by name alone, need not show it."""
    answer = original(registry, chain, now_us)
    leaf = readable(chain[0])
    if answer.reason != certificate_chain.UNKNOWN or leaf is None:
        return answer
    for profile in registry.store.scan(DEVICE_PROFILE, INSTALLATION):
        if profile.provision_type is CHAIN:
            return certificate_chain._provision(registry, profile, chain[0], now_us)
    return answer


def whole_common_name(original: Any, profile: Any, common_name: str) -> str:
    return common_name


def common_name_otherwise(original: Any, profile: Any, common_name: str) -> Any:
    try:
        return original(profile, common_name)
    except ChainRefused:
        return common_name


def chain_requests_made(original: Any, registry: Any, request: Any, profile: Any, name: str, now_us: int) -> Any:
    if profile.provision_type is CHAIN:
        return decision.create(registry, request, profile, name, now_us)
    return original(registry, request, profile, name, now_us)


def chain_requests_refused(original: Any, registry: Any, request: Any, profile: Any, *more: Any) -> Any:
    decided = original(registry, request, profile, *more)
    return Decision(Status.NOT_FOUND, "no") if decided.status is None else decided


def without_puback(original: Any, *more: Any) -> Any:
    reaction = original(*more)
    return replace(reaction, outputs=list(reaction.outputs)[1:])


def at_once(original: Any, self: Any, session: Any, client: Any, *more: Any) -> Any:
    original(self, session, client, *more)
    return PublishAnswer(provision_sessions.NO_ANSWER, ends=True)


def token_replaced(registry: Any, device: Any, leaf: bytes) -> HandshakeAnswer:
    stored = devices.credentials_of(registry, device.id)
    assert isinstance(stored, Credentials)
    devices.save_credentials(registry, stored, certificate_chain._formed(leaf))
    return HandshakeAnswer(device=device.name)


def device_before_word(original: Any, self: Any, connect: Any, session: Any, now_us: int) -> Any:
    if not session.certificates:
        return original(self, connect, session, now_us)
    return original(self, replace(connect, user_name=None), session, now_us)


def user_name_first(original: Any, registry: Any, connect: Any, session: Any, now_us: int) -> Any:
    return original(registry, connect, replace(session, certificates=()) if connect.user_name else session, now_us)


def made_by_others(original: Any, self: Any, session: Any, now_us: int) -> Any:
    """The handshake makes nothing."""
    return HandshakeAnswer()


MUTANTS = (
    mutant("there are no chains", "S75 S76 S80 S109 S110", with_traits(has_certificate_chain=False), spares="S01"),
    mutant(
        "a chain makes no device",
        "S75 S80 S109 S110",
        (certificate_chain, "_create", giving(HandshakeAnswer())),
        spares="S77 S107",
    ),
    mutant(
        "a chain's device lands in the default profile",
        "S75 S109",
        (certificate_chain, "create_device", instead(in_default_profile)),
        spares="S80 S110",
    ),
    mutant(
        "a chain writes no provisionState", "S75", (certificate_chain, "put_attributes", giving(None)), spares="S76"
    ),
    mutant(
        "a chain's certificate is kept otherwise",
        "S75",
        (certificate_chain, "text_of", then(lambda text: f"{text}\n")),
        spares="S77",
    ),
    mutant("a leaf alone does not log in", "S75", (interface, "device_of", instead(never_alone)), spares="S78 S110"),
    mutant("a new leaf is not taken", "S76", (certificate_chain, "_rotate", being(not_renewed)), spares="S75 S107"),
    mutant(
        "a new leaf is let in and not kept",
        "S76",
        (certificate_chain, "_rotate", being(old_leaf_stays)),
        (logins, "_by_certificate", instead(known_by_name)),
        spares="S75",
    ),
    mutant(
        "any certificate of a device's name is let in",
        "S76 S107",
        (logins, "_by_certificate", instead(known_by_name)),
        spares="S75 S77",
    ),
    mutant(
        "devices are made though they should not",
        "S77",
        (certificate_chain, "_provision", instead(creates_always)),
        spares="S75 S80",
    ),
    mutant(
        "the handshake refuses whom nobody knows",
        "S77 S78 S80 S107",
        (platform, "judge_chain", then(refused_in_handshake)),
        spares="S75 S79",
    ),
    mutant(
        "an authority need not be shown",
        "S78",
        (certificate_chain, "_look_up", instead(authority_by_name)),
        spares="S75 S79",
    ),
    mutant("chains need no signatures", "S79", (certificate_chain, "chain_flaw", giving("")), spares="S75 S78"),
    mutant(
        "a chain without signatures is refused later",
        "S79",
        (platform, "judge_chain", then(refused_later)),
        spares="S75 S77",
    ),
    mutant(
        "the whole common name is the name",
        "S80",
        (certificate_chain, "_device_name", instead(whole_common_name)),
        spares="S75 S110",
    ),
    mutant(
        "who does not fit the pattern has its whole name",
        "S80",
        (certificate_chain, "_device_name", instead(common_name_otherwise)),
        spares="S75 S110",
    ),
    mutant(
        "a request with a chain's key is never given up",
        "S81",
        (provision_sessions, "GIVES_UP_AFTER_US", being(1 << 50)),
        spares="S75",
        silence=True,
    ),
    mutant(
        "a request with a chain's key is given up at once",
        "S81",
        (ProvisionSessions, "_wait", instead(at_once)),
        spares="S75",
    ),
    mutant("a request with a chain's key makes a device", "S81", *deciding(chain_requests_made), spares="S75"),
    mutant("a request with a chain's key is NOT_FOUND", "S81", *deciding(chain_requests_refused), spares="S75"),
    mutant(
        "what is given up is not acknowledged",
        "S81",
        (ProvisionSessions, "_give_up", instead(without_puback)),
        spares="S75",
    ),
    mutant(
        "a chain replaces an access token",
        "S107",
        (certificate_chain, "_rotate", being(token_replaced)),
        spares="S75 S76",
    ),
    mutant("dates are not looked at", "S108", (logins, "refused_by_dates", giving("")), spares="S75 S77"),
    mutant(
        "a leaf counts before its time",
        "S108",
        (logins, "refused_by_dates", then(lambda why: "" if "counts from" in why else why)),
        spares="S75 S77",
    ),
    mutant(
        "the last of several authorities gives the key",
        "S76",
        (authority_certificate, "_first", being(last_certificate)),
        spares="S75",
    ),
    mutant(
        "a chain's device cannot provision another",
        "S109",
        (MqttInterface, "log_in", instead(device_before_word)),
        spares="S75",
        silence=True,
    ),
    mutant(
        "a user name counts beside a certificate",
        "S110",
        (interface, "device_of", instead(user_name_first)),
        spares="S75 S76",
    ),
)
