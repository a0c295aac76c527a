"""A provision request as the device sends it, and what its form alone gives away (spec 1.1, 1.6)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fleetrig.harness.servers.json_answer import NotJson, read_json
from fleetrig.simulator.contract.identity import mask

KEY, SECRET, NAME, TYPE = "provisionDeviceKey", "provisionDeviceSecret", "deviceName", "credentialsType"
CREDENTIALS: Final = ("token", "clientId", "username", "password", "hash")
GATEWAY: Final = "gateway"
MEMBERS: Final = (KEY, SECRET, NAME, TYPE, *CREDENTIALS, GATEWAY)
TYPES: Final = ("ACCESS_TOKEN", "MQTT_BASIC", "X509_CERTIFICATE", "LWM2M_CREDENTIALS")
NAME_CHARS: Final = 255
"""The longest name of a device (S96)."""
IMPOSSIBLE_NAME: Final = "fleetrig-doctor-asks-without-effect-" + "x" * NAME_CHARS
"""No device can have it, so a request with it comes to nothing, after key and secret have been looked at (S96)."""


@dataclass(frozen=True, slots=True)
class DeviceDocument:
    """The members of a request. `why_not`: why the text is no JSON object; then there are none."""

    members: Mapping[str, Any] = field(default_factory=dict, repr=False)
    why_not: str = ""

    def text(self, name: str) -> str:
        """A member as the server reads it: absent is empty, numbers and booleans as they are written."""
        return read_text(self.members.get(name, ""))

    def has_effect(self) -> bool:
        """Whether the server could come to a decision on it; else it fails before anybody looks at a key."""
        return not self.why_not and not self.fatal()

    def fatal(self) -> list[str]:
        """Members that no value can be read from."""
        return [name for name in MEMBERS if name in self.members and not _is_value(self.members[name])]

    @property
    def own_credentials(self) -> tuple[str, ...]:
        """The credentials that the device brings along."""
        return tuple(name for name in CREDENTIALS if self.text(name))

    def named(self, name: str) -> DeviceDocument:
        """The same request for another device. Blanks and what is no name stay: they are looked at first."""
        own = self.members.get(NAME, "")
        if not _is_value(own) or (read_text(own) and not read_text(own).strip()):
            return self
        return DeviceDocument({**self.members, NAME: name}, self.why_not)

    @property
    def payload(self) -> bytes:
        return json.dumps(dict(self.members), ensure_ascii=False).encode("utf-8", "surrogatepass")

    def __str__(self) -> str:
        """For the page: secrets masked."""
        if self.why_not:
            return f"a request that is {self.why_not}"
        key, secret = (
            mask(kind, self.text(name)) for kind, name in (("provision-key", KEY), ("provision-secret", SECRET))
        )
        more = [name for name in self.members if name not in (KEY, SECRET, NAME)]
        return f"{key}, {secret}" + (f", and {', '.join(more)}" if more else "")


def read_document(text: bytes) -> DeviceDocument:
    """A request from its bytes; never raises. The server's parser takes more than JSON: that is told by the doctor."""
    try:
        found = read_json(text)
    except NotJson as wrong:
        return DeviceDocument(why_not=str(wrong))
    return DeviceDocument(found) if isinstance(found, dict) else DeviceDocument(why_not="JSON, but no object")


def read_text(value: Any) -> str:
    """What the server makes of a value: an array of one is that one."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return json.dumps(value)
        case _:
            return ""


def _is_value(value: Any) -> bool:
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return isinstance(value, str | bool | int | float)
