"""A provision request, whatever it came as; and the two ways in which it may be none (spec 1.6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fleetrig.reference_server.platforms.thingsboard.state.records import CredentialsType


@dataclass(frozen=True, slots=True)
class ProvisionRequest:
    """Empty: absent, which is the same to the server."""

    key: str = ""
    secret: str = ""
    device_name: str = ""
    credentials_type: CredentialsType | None = CredentialsType.ACCESS_TOKEN
    """None: a number that protobuf knows no name for."""
    token: str = ""
    client_id: str = ""
    username: str = ""
    password: str = ""
    certificate: str = ""
    """`hash` on the wire: the whole certificate."""
    gateway: bool = False
    is_protobuf: bool = False
    """And so is the answer."""

    @property
    def brings_credentials(self) -> bool:
        return any((self.token, self.certificate, self.username, self.password, self.client_id))

    @property
    def as_event(self) -> dict[str, Any]:
        """As events quote it, key and secret included."""
        return {
            "deviceName": self.device_name,
            "credentialsType": self.credentials_type,
            "credentialsData": {
                "token": self.token,
                "clientId": self.client_id,
                "username": self.username,
                "password": self.password,
                "x509CertHash": self.certificate,
            },
            "credentials": {"provisionDeviceKey": self.key, "provisionDeviceSecret": self.secret},
            "gateway": self.gateway,
        }


class BadProvisionRequest(Exception):
    """No request at all. The text is what the server says over HTTP; it may quote key and secret.

    `reason` is for a person: what was wrong, and what to do. It quotes nothing.
    """

    def __init__(self, said: str, reason: str) -> None:
        super().__init__(said)
        self.reason = reason


class Undecodable(BadProvisionRequest):
    """Neither JSON nor protobuf, or an array of several where one value belongs (first rows of 1.6)."""


class Unusable(BadProvisionRequest):
    """JSON with a member that is missing or no value (third row of 1.6)."""
