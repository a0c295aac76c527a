"""Who a CONNECT comes from (spec 3.1): an access token, MQTT_BASIC, a certificate, or a session that provisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fleetrig.reference_server.mqtt_sessions.reason_codes import MqttReason
from fleetrig.reference_server.platforms.thingsboard.mqtt.peer_certificates import (
    readable,
    refused_by_dates,
    text_of,
)
from fleetrig.reference_server.platforms.thingsboard.mqtt.topics import PROVISION
from fleetrig.reference_server.platforms.thingsboard.state.credential_forms import basic_id, read_basic, sha3
from fleetrig.reference_server.platforms.thingsboard.state.devices import credentials_by_id, device_by_id
from fleetrig.reference_server.platforms.thingsboard.state.records import Credentials, CredentialsType, Device
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry
from fleetrig.simulator.contract.mqtt import MqttConnect
from fleetrig.simulator.contract.session import Session

TOKEN_CHARS: Final = 16
"""From so many on, a user name alone that nobody has is taken for somebody's token; shorter ones may be any word."""


@dataclass(frozen=True, slots=True)
class Refused:
    code: MqttReason
    reason: str


def wants_to_provision(connect: MqttConnect) -> bool:
    """Nothing else is looked at, a valid token or certificate least of all (S53, S55, S92)."""
    return PROVISION in (connect.user_name, connect.client_id)


def device_of(registry: Registry, connect: MqttConnect, session: Session, now_us: int) -> Device | Refused:
    """The device that logs in. A certificate is looked at alone, whatever else the CONNECT says (S110)."""
    if session.certificates:
        return _by_certificate(registry, session.certificates[0], now_us)
    found = _by_basic(registry, connect)
    if isinstance(found, str):
        if connect.user_name and connect.password is None and len(connect.user_name) >= TOKEN_CHARS:
            registry.learn("access-token", connect.user_name)
        return Refused(_code_for(connect), found)
    device = device_by_id(registry, found.device_id)
    return device or Refused(_code_for(connect), "its credentials are there and its device is not")


def _code_for(connect: MqttConnect) -> MqttReason:
    """What a login that finds nobody gets; MQTT 3 hears 5 for all but the client id, which is 2 (L01, L03)."""
    if connect.user_name is not None or connect.password is not None:
        return MqttReason.BAD_USER_NAME_OR_PASSWORD
    return MqttReason.CLIENT_IDENTIFIER_NOT_VALID if connect.client_id.strip() else MqttReason.NOT_AUTHORIZED


def _by_certificate(registry: Registry, der: bytes, now_us: int) -> Device | Refused:
    certificate = readable(der)
    if certificate is None:
        return Refused(MqttReason.NOT_AUTHORIZED, "the certificate cannot be read")
    if why := refused_by_dates(certificate, now_us):
        return Refused(MqttReason.NOT_AUTHORIZED, why)
    found = credentials_by_id(registry, sha3(text_of(der)))
    device = None if found is None or found.type is not CredentialsType.X509_CERTIFICATE else (
        device_by_id(registry, found.device_id)
    )  # fmt: skip
    return device or Refused(
        MqttReason.NOT_AUTHORIZED,
        "no device has this certificate: was it replaced by a later one, or does its chain belong to no profile?",
    )


def _by_basic(registry: Registry, connect: MqttConnect) -> Credentials | str:
    """The credentials that fit, or why none do."""
    if not connect.user_name:
        found = credentials_by_id(registry, sha3(connect.client_id))
        if found is None or found.type is not CredentialsType.MQTT_BASIC:
            return "no user name, and no device has MQTT_BASIC credentials with this client id alone"
        return found
    both = credentials_by_id(registry, basic_id(connect.client_id, connect.user_name)) if connect.client_id else None
    if both is not None and both.type is CredentialsType.MQTT_BASIC:
        return _mismatch(both, connect) or both
    return _by_user_name(registry, connect)


def _by_user_name(registry: Registry, connect: MqttConnect) -> Credentials | str:
    found = credentials_by_id(registry, connect.user_name or "")
    match found:
        case Credentials(type=CredentialsType.ACCESS_TOKEN):
            return found
        case Credentials(type=CredentialsType.MQTT_BASIC):
            return _mismatch(found, connect) or found
        case None:
            return "no device has this user name as its access token or in its MQTT_BASIC credentials"
        case _:
            return "the user name is the id of credentials of another kind"


def _mismatch(credentials: Credentials, connect: MqttConnect) -> str:
    """What differs from MQTT_BASIC credentials; parts that are stored empty are not compared."""
    stored = read_basic(credentials.value)
    password = (connect.password or b"").decode("utf-8", "replace")
    given = {"clientId": connect.client_id, "userName": connect.user_name, "password": password}
    wrong = [name for name, value in stored.items() if value and value != given[name]]
    return f"{wrong[0]} is not the one in the device's MQTT_BASIC credentials" if wrong else ""
