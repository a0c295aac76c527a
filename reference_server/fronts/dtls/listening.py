"""A listening UDP port whose peers speak DTLS."""

from __future__ import annotations

from fleetrig.reference_server.address import Address
from fleetrig.reference_server.fronts.dtls.carrier import dtls_carrier
from fleetrig.reference_server.fronts.front import OnFull
from fleetrig.reference_server.fronts.tls.server_tls import ServerTls
from fleetrig.reference_server.fronts.udp import DatagramListener


def dtls_listener(name: str, address: Address, tls: ServerTls | None, on_full: OnFull) -> DatagramListener:
    """What binds listeners of a kind (`ListenerKind.bind`)."""
    return DatagramListener(name, address, tls, on_full, dtls_carrier)
