"""Names of a gateway, and its topics: client id, user name, substitution, control topics (spec 1.3, 2.1)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from fleetrig.simulator.flows.kura.settings import GatewayHardware

UNKNOWN: Final = "UNKNOWN"
TOKEN: Final = re.compile(r"#([A-Za-z0-9_-]+)")
NOT_IN_CLIENT_IDS: Final = str.maketrans("/+#.", "----")
WILDCARDS: Final = frozenset("#+")
IGNORED_APPS: Final = frozenset({"MQTT", "BA"})
VENDOR_DOMAINS: Final = ("everyware-cloud.com", "everyware.io")
"""The page's brokers are values of a configuration. No test, and nothing that is simulated, calls them."""
PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
MOST_TOPIC_BYTES: Final = 65_535


class ControlTopic(NamedTuple):
    """`$EDC/account/client-id/app-id/application topic`, in its parts."""

    account: str
    client_id: str
    app_id: str
    app_topic: str


def mac_of(hardware: GatewayHardware, serial: str) -> str:
    """Twelve upper-case digits, without colons; one that is made up says so (locally administered, 02)."""
    if hardware.mac:
        return re.sub(r"[^0-9A-F]", "", hardware.mac.upper())
    return "02" + hashlib.sha256(serial.encode()).hexdigest()[:10].upper()


def with_colons(mac: str) -> str:
    return ":".join(mac[at : at + 2] for at in range(0, len(mac), 2))


def serial_number_of(hardware: GatewayHardware, serial: str) -> str:
    """Without `kura.serialNumber` a gateway says UNKNOWN."""
    return (serial if hardware.serial_number is None else hardware.serial_number) or UNKNOWN


def sanitised(client_id: str) -> str:
    """As it is used in CONNECT and in topics (N-02)."""
    return client_id.translate(NOT_IN_CLIENT_IDS)


def substituted(topic: str, tokens: Mapping[str, str]) -> str:
    """`#name` becomes its value; unknown names stay."""
    return TOKEN.sub(lambda found: tokens.get(found[1], found[0]), topic)


def is_publishable(topic: str) -> bool:
    """False for a topic that the MQTT library refuses (N-04)."""
    return bool(topic) and not WILDCARDS & {*topic} and can_be_sent(topic)


def can_be_sent(topic: str) -> bool:
    """False for what no packet has room for, and for NUL, at which a broker ends the connection."""
    return "\0" not in topic and len(topic.encode("utf-8", "replace")) <= MOST_TOPIC_BYTES


def read_control(topic: str, prefix: str) -> ControlTopic | None:
    """None for a topic that is no control topic with an app id."""
    parts = topic.split("/", 4)
    if len(parts) < 4 or parts[0] != prefix:
        return None
    return ControlTopic(parts[1], parts[2], parts[3], parts[4] if len(parts) > 4 else "")


def is_vendors(url: str) -> bool:
    """A broker of the vendor, by its domain."""
    host = (urlsplit(url).hostname or "").lower()
    return any(host == domain or host.endswith(f".{domain}") for domain in VENDOR_DOMAINS)


def instance_of(url: str) -> str:
    """What makes two brokers the same instance: host and port."""
    parts = urlsplit(url)
    return f"{(parts.hostname or '').lower()}:{parts.port or PORTS.get(parts.scheme, 0)}"
