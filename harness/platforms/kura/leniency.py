"""What real gateways may do otherwise than our model without harm, and what of their messages matters.

What is measured is a gateway's own affair, and so are its times: of payloads only the place matters.
"""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.drivers.oracle_rules import Leniency

LENIENCY: Final = Leniency(
    repeats={"subscribe": 3, "provision-subscribe": 3, "birth": 2},
    optional=("ping", "dc", "apps"),
    beside=("ping", "hang-up", "subscribe", "unsubscribe", "puback", "apps", "notify"),
    compared={"login": ("user_name", "password", "client_id"), "*": ("topic",)},
    seen_as={
        "provision-connect": "login",
        "provision-leave": "hang-up",
        "leave": "hang-up",
        "provision-confirmed": "provision",
    },
    lost_as=("refused", "timeout"),
)
