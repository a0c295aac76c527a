"""What real ThingsBoard devices do otherwise than our model without harm, and what of their messages matters.

Sources: docs/contracts/thingsboard.md, the rows D01 to D34. What is measured is a device's own affair: of telemetry
only the place matters.
"""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.drivers.oracle_rules import Leniency

ASKED: Final = (
    "method", "path", "topic", "body:deviceName", "body:provisionDeviceKey", "body:provisionDeviceSecret",
    "body:credentialsType", "body:token", "body:clientId", "body:username", "body:password", "body:gateway",
)  # fmt: skip

LENIENCY: Final = Leniency(
    repeats={"subscribe": 3, "provision-subscribe": 1},
    optional=("ping",),
    beside=("ping", "hang-up", "subscribe", "attributes", "rpc"),
    compared={
        "provision": ASKED,
        "provision-request": ASKED,
        "provision-connect": ("password",),
        "login": ("user_name", "password"),
        "gateway-connect": ("topic", "body:device"),
        "*": ("method", "path", "topic"),
    },
    seen_as={"provision-leave": "hang-up", "leave": "hang-up"},
    lost_as=("refused", "timeout"),
    clauses={
        "provision-connect": "thingsboard#D05",
        "provision-subscribe": "thingsboard#D02",
        "provision-request": "thingsboard#D04",
        "provision": "thingsboard#D25",
        "hang-up": "thingsboard#D05",
        "login": "thingsboard#D21",
        "telemetry": "thingsboard#D34",
    },
)
