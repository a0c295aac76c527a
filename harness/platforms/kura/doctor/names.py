"""The names under which a gateway calls: MAC, user name and client id, in the forms in which people write them."""

from __future__ import annotations

import hmac
import re
from typing import Final

UNKNOWN: Final = "UNKNOWN"
"""The serial number of a gateway on which `kura.serialNumber` is not set (spec 1.3)."""
SANITISED: Final = re.compile(r"[/+#.]")
"""What Kura replaces by `-` in a client id before it uses it (spec 2.1)."""
FORBIDDEN: Final = re.compile(r"[#+*&,?>/]|::")
"""What the registry of Kapua takes in no client id (spec 5.1)."""
NO_HEX: Final = re.compile(r"[^0-9A-Fa-f]")
MAC_DIGITS: Final = 12


def bare_mac(mac: str) -> str:
    """`00:60:0c:aa:bb:cc` -> `00600CAABBCC`; empty for what is no MAC address."""
    digits = NO_HEX.sub("", mac).upper()
    return digits if len(digits) == MAC_DIGITS else ""


def mac_with_colons(mac: str) -> str:
    """`00600caabbcc` -> `00:60:0C:AA:BB:CC`."""
    digits = bare_mac(mac)
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))


def automatic_login(mac: str, serial: str) -> str:
    """The user name that a gateway makes for itself when none is set (spec 1.3)."""
    return f"{bare_mac(mac)}-{serial or UNKNOWN}" if bare_mac(mac) else ""


def is_same_secret(one: str, other: str) -> bool:
    """In constant time."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def sanitised(client_id: str) -> str:
    """As Kura sends it."""
    return SANITISED.sub("-", client_id)


def is_same_mac(one: str, other: str) -> bool:
    """The same address, with colons or without, in whatever case."""
    return bool(bare_mac(one)) and bare_mac(one) == bare_mac(other)


def how_logins_differ(own: str, wanted: str) -> str:
    """`space`, `case`, `colons`, `unknown-serial`, `serial`, or `name` for whatever else; empty when they are equal."""
    if own == wanted:
        return ""
    if own.strip() == wanted.strip():
        return "space"
    if own.strip().lower() == wanted.strip().lower():
        return "case"
    own_mac, _, own_serial = own.strip().partition("-")
    mac, _, serial = wanted.strip().partition("-")
    if not is_same_mac(own_mac, mac):
        return "name"
    if own_serial.lower() == serial.lower():
        return "colons"
    return "unknown-serial" if UNKNOWN in (own_serial, serial) else "serial"


def how_client_ids_differ(own: str, wanted: str) -> str:
    """`sanitised`, `colons`, `case`, or `name`; empty when they are equal. `own`: as the gateway sends it."""
    if own == wanted:
        return ""
    if own == sanitised(wanted):
        return "sanitised"
    if own.lower() == wanted.lower():
        return "case"
    return "colons" if is_same_mac(own, wanted) else "name"
