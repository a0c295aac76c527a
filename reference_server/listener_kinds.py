"""How a listener speaks, by its name. Libraries that only one protocol needs are imported when it is first spoken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from fleetrig.reference_server.address import Address
from fleetrig.reference_server.fronts.front import BoundListener, Front, FrontTools, ListenerKind
from fleetrig.reference_server.fronts.http.platform_front import http_front
from fleetrig.reference_server.fronts.tls.server_tls import ServerTls
from fleetrig.reference_server.fronts.udp import DatagramListener
from fleetrig.reference_server.server import Server


def mqtt_front(server: Server, tools: FrontTools) -> Front:
    from fleetrig.reference_server.fronts.mqtt import front

    return front.mqtt_front(server, tools)


def coap_front(server: Server, tools: FrontTools) -> Front:
    from fleetrig.reference_server.fronts.coap import front

    return front.coap_front(server, tools)


def dtls_listener(
    name: str, address: Address, tls: ServerTls | None, on_full: Callable[[OSError], None]
) -> BoundListener:
    from fleetrig.reference_server.fronts.dtls import listening

    return listening.dtls_listener(name, address, tls, on_full)


LISTENER_KINDS: Final[Mapping[str, ListenerKind]] = {
    "http": ListenerKind(http_front),
    "https": ListenerKind(http_front, is_tls=True, alpn=("http/1.1",)),
    "mqtt": ListenerKind(mqtt_front),
    "mqtts": ListenerKind(mqtt_front, is_tls=True),
    "coap": ListenerKind(coap_front, bind=DatagramListener),
    "coaps": ListenerKind(coap_front, is_tls=True, bind=dtls_listener),
    "registry": ListenerKind(http_front, url_scheme="http"),
}
