"""What a gateway is called: its serial number, the MAC of its first interface, and what follows of them (spec 1.3)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Literal

LOCAL: Final = "02"
"""A MAC that begins so was given by nobody: no real gateway has it."""

ClientIdForm = Literal["serial", "mac", "mac-with-colons"]


@dataclass(frozen=True, slots=True)
class GatewayNames:
    """`mac` has colons, in capitals."""

    serial: str
    mac: str
    client_id: str

    @property
    def user_name(self) -> str:
        """The one that a ProvisioningService makes by itself: MAC without colons, and serial number."""
        return f"{self.mac.replace(':', '')}-{self.serial}"


def names_of(serial: str, form: ClientIdForm = "serial") -> GatewayNames:
    """Serials are what runs and people know gateways by; a MAC is made of them, the same each time."""
    mac = mac_of(serial)
    ids = {"serial": serial, "mac": mac.replace(":", ""), "mac-with-colons": mac}
    return GatewayNames(serial, mac, ids[form])


def mac_of(serial: str) -> str:
    digits = (LOCAL + hashlib.sha256(serial.encode()).hexdigest()[:10]).upper()
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))
