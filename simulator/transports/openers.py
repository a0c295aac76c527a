"""Who opens which scheme in real time. A library is imported when a device first needs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fleetrig.simulator.transports.client_tls import DeviceTls
from fleetrig.simulator.transports.connection import Opener, Wire


async def _open_mqtt(where: str, tls: DeviceTls) -> Wire:
    from fleetrig.simulator.transports.mqtt import open_mqtt

    return await open_mqtt(where, tls)


OPENERS: Final[Mapping[str, Opener]] = {"mqtt": _open_mqtt, "mqtts": _open_mqtt}
"""What `RealBench` uses when it is given none."""
