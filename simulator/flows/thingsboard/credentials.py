"""What a ThingsBoard device proves itself with: the key of its make, what it brings along, and what it was given.

No secret is printed: a repr shows kind and a short hash. Source: spec 1.1 and 1.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fleetrig.simulator.contract.identity import ClientCertificate, mask
from fleetrig.simulator.contract.json_types import Json

ACCESS_TOKEN: Final = "ACCESS_TOKEN"
MQTT_BASIC: Final = "MQTT_BASIC"
X509_CERTIFICATE: Final = "X509_CERTIFICATE"


@dataclass(frozen=True, slots=True, repr=False)
class ProvisionKey:
    """What all devices of a profile share: `provisionDeviceKey` and `provisionDeviceSecret`."""

    key: str
    secret: str

    def __repr__(self) -> str:
        return f"{mask('provision-key', self.key)}/{mask('secret', self.secret)}"


@dataclass(frozen=True, slots=True, repr=False)
class AccessToken:
    token: str

    def __repr__(self) -> str:
        return mask("access-token", self.token)


@dataclass(frozen=True, slots=True, repr=False)
class MqttBasic:
    """An empty part is none: the server does not compare it (spec 3.1)."""

    client_id: str = ""
    user_name: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"{self.client_id}/{self.user_name}/{mask('password', self.password)}"


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """The device's own certificate, which its connections show; `leaf_pem` is what the server is told of it (D07)."""

    leaf_pem: str = ""

    @classmethod
    def of(cls, shown: ClientCertificate) -> OwnCertificate:
        return cls(shown.chain_pem.decode().partition("-----END")[0] + "-----END CERTIFICATE-----\n")


Credentials = AccessToken | MqttBasic | OwnCertificate


def read_credentials(kind: Json, value: Json) -> Credentials | None:
    """Those of a reply, whatever was asked for (D08). None when nothing can be done with them (D10)."""
    match kind, value:
        case "ACCESS_TOKEN", str(token) if token:
            return AccessToken(token)
        case "MQTT_BASIC", dict(parts):
            basic = MqttBasic(_text(parts, "clientId"), _text(parts, "userName"), _text(parts, "password"))
            return basic if basic.client_id or basic.user_name else None
        case "X509_CERTIFICATE", _:
            return OwnCertificate()
        case _:
            return None


def to_memory(credentials: Credentials) -> Json:
    """As a device remembers them; `from_memory` reads it. A certificate lies in the device already."""
    match credentials:
        case AccessToken(token):
            return [ACCESS_TOKEN, token]
        case MqttBasic(client_id, user_name, password):
            return [MQTT_BASIC, {"clientId": client_id, "userName": user_name, "password": password}]
        case OwnCertificate():
            return [X509_CERTIFICATE, None]


def from_memory(remembered: Json) -> Credentials | None:
    match remembered:
        case [kind, value]:
            return read_credentials(kind, value)
        case _:
            return None


def _text(parts: Mapping[str, Json], name: str) -> str:
    value = parts.get(name)
    return value if isinstance(value, str) else ""
