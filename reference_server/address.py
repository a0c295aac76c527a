"""The address of a listener as people write it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from fleetrig.simulator.contract.errors import UsageError

PORT_DIGITS = 5
SHOWN_CHARS = 100
MAX_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Address:
    """A host (name or literal, IPv6 without brackets) and a TCP port; port 0 takes any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_wildcard(self) -> bool:
        """True for all addresses of the machine at once."""
        return self.host in {"0.0.0.0", "::", ""}

    @property
    def is_loopback(self) -> bool:
        """True when nobody outside this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_address(text: str) -> Address:
    """`127.0.0.1:8080`, `[::1]:0`, `localhost:8080`. Raises UsageError when host or port is missing or impossible."""
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise UsageError(f"{text!r} is no address: an IPv6 host stands in brackets, as in [::1]:8080")
    is_number = port.isascii() and port.isdecimal() and len(port) <= PORT_DIGITS
    if not colon or not host or not is_number or int(port) > MAX_PORT:
        raise UsageError(
            f"{text[:SHOWN_CHARS]!r} is no address: expected HOST:PORT with a port up to 65535, as in 127.0.0.1:8080"
        )
    return Address(host, int(port))
