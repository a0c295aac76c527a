"""Names below `localhost` lead to this machine (RFC 6761 §6.3), though many systems know none of them.

A device that names its tenant in the handshake (SNI) needs a name for that, also where all is on one machine.
"""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

LOOPBACK: Final = "127.0.0.1"
BELOW: Final = ".localhost"


def reachable_host(host: str) -> str:
    """What to look up in place of a host: 127.0.0.1 for names below `localhost`, itself for all others."""
    return LOOPBACK if host.lower().endswith(BELOW) else host


def server_name_in(url: str) -> str:
    """The host that a TLS client asks for (SNI, RFC 6066 §3): a name; empty for an address."""
    host = urlsplit(url).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host
    return ""
