"""How a device reaches the server and how it asks, as its program does it (spec 1.4, 1.5, 3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

PROVISION: Final = "provision"
REQUEST_TOPIC: Final = "/provision/request"
RESPONSE_TOPIC: Final = "/provision/response"
PATH: Final = "/api/v1/provision"
JSON: Final = "application/json"


class Over(StrEnum):
    """A transport, by the scheme of its addresses."""

    MQTT = "mqtt"
    MQTTS = "mqtts"
    HTTP = "http"
    HTTPS = "https"
    COAP = "coap"
    COAPS = "coaps"

    @property
    def is_secure(self) -> bool:
        return self.endswith("s")

    @property
    def plain(self) -> str:
        """`mqtt`, `http` or `coap`."""
        return self.removesuffix("s")


PORTS: Final = {
    Over.MQTT: 1883,
    Over.MQTTS: 8883,
    Over.HTTP: 8080,
    Over.HTTPS: 443,
    Over.COAP: 5683,
    Over.COAPS: 5684,
}
"""Where ThingsBoard listens by itself."""


@dataclass(frozen=True, slots=True)
class Way:
    """`url`: what the device calls. The words of MQTT and HTTP are those of the device's program."""

    url: str
    user_name: str | None = PROVISION
    client_id: str = ""
    topic: str = REQUEST_TOPIC
    response_topic: str = RESPONSE_TOPIC
    path: str = PATH
    content_type: str = JSON
    reads: tuple[str, ...] = ()
    """Members of a reply that the program looks at."""

    @property
    def over(self) -> Over:
        return Over(urlsplit(self.url).scheme)

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or PORTS[self.over]

    @property
    def web_url(self) -> str:
        """The same place for what knows `http` and `https` only."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.over.is_secure else 'http'}://{host}:{self.port}"

    @property
    def opens_provision_session(self) -> bool:
        """What a CONNECT with these words becomes (spec 1.4)."""
        return PROVISION in (self.user_name, self.client_id)
