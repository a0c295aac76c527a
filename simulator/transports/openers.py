"""Who opens which scheme in real time. A library is imported when a device first needs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fleetrig.simulator.transports.client_tls import DeviceTls
from fleetrig.simulator.transports.connection import Opener, Wire


async def _open_mqtt(where: str, tls: DeviceTls) -> Wire:
    from fleetrig.simulator.transports.mqtt import open_mqtt

    return await open_mqtt(where, tls)


async def _open_coap(where: str, tls: DeviceTls) -> Wire:
    from fleetrig.simulator.transports.coap import open_coap

    return await open_coap(where, tls)


OPENERS: Final[Mapping[str, Opener]] = {
    "mqtt": _open_mqtt,
    "mqtts": _open_mqtt,
    "coap": _open_coap,
    "coaps": _open_coap,
}
"""What `RealBench` uses when it is given none."""
