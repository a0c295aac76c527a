"""The three forms of credentials: which id logins look up, and what may not be one (spec 1.1)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fleetrig.reference_server.platforms.thingsboard.state.errors import bad_credentials
from fleetrig.reference_server.platforms.thingsboard.state.records import CredentialsType

BASIC_MEMBERS: Final = ("clientId", "userName", "password")
"""In the order in which the server writes them."""
ARMOUR: Final = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----", "\n", "\r")


@dataclass(frozen=True, slots=True)
class FormedCredentials:
    """Credentials as they are stored: their id worked out, their value normalised."""

    type: CredentialsType
    credentials_id: str
    value: str | None = None


def sha3(text: str) -> str:
    return hashlib.sha3_256(text.encode("utf-8", "surrogatepass")).hexdigest()


def stripped_certificate(text: str) -> str:
    """Without armour and line ends, as the server keeps it."""
    for piece in ARMOUR:
        text = text.replace(piece, "")
    return text


def basic_id(client_id: str | None, user_name: str | None) -> str:
    """Of MQTT_BASIC; empty when both are."""
    if not client_id:
        return user_name or ""
    return sha3(client_id) if not user_name else sha3(f"{client_id}|{user_name}")


def basic_value(client_id: str | None, user_name: str | None, password: str | None) -> str:
    """MQTT_BASIC's value: JSON as text."""
    values = dict(zip(BASIC_MEMBERS, (client_id, user_name, password), strict=True))
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False)


def read_basic(value: str | None) -> Mapping[str, str | None]:
    """The three members of MQTT_BASIC's value. Raises RuleBroken for a value that is none."""
    try:
        found: Any = json.loads(value or "null")
    except ValueError:
        found = None
    if not isinstance(found, Mapping) or any(not isinstance(found.get(name), str | None) for name in BASIC_MEMBERS):
        raise bad_credentials("Invalid credentials body for simple mqtt credentials!")
    return {name: found.get(name) for name in BASIC_MEMBERS}


def formed(kind: CredentialsType, credentials_id: str | None, value: str | None) -> FormedCredentials:
    """What is stored of given credentials. Raises RuleBroken."""
    match kind:
        case CredentialsType.X509_CERTIFICATE:
            text = stripped_certificate(value or "")
            if "\0" in text:
                raise bad_credentials("a certificate cannot hold a NUL character")
            made = FormedCredentials(kind, sha3(text), text)
        case CredentialsType.MQTT_BASIC:
            made = _formed_basic(value)
        case CredentialsType.LWM2M_CREDENTIALS:
            raise bad_credentials("LwM2M credentials must be specified!")
        case _:
            made = FormedCredentials(kind, credentials_id or "", value)
    if not made.credentials_id:
        raise bad_credentials("Device credentials id should be specified!")
    _refuse_controls(made.credentials_id, "credentialsId")
    return made


def _formed_basic(value: str | None) -> FormedCredentials:
    parts = read_basic(value)
    client_id, user_name, password = (parts[name] for name in BASIC_MEMBERS)
    if not client_id and not user_name:
        raise bad_credentials("Both mqtt client id and user name are empty!")
    if client_id and password and not user_name:
        raise bad_credentials("Password cannot be specified along with client id")
    for name, part in parts.items():
        _refuse_controls(part or "", name)
    text = basic_value(client_id, user_name, password)
    return FormedCredentials(CredentialsType.MQTT_BASIC, basic_id(client_id, user_name), text)


def _refuse_controls(text: str, called: str) -> None:
    if any(char < " " or "\x7f" <= char <= "\x9f" for char in text):
        raise bad_credentials(f"{called} must not contain control characters!")
