"""What real Hono devices may do otherwise than our model without harm, and what of their messages matters.

Sources: docs/contracts/hono.md, the rows D01 to D16. What is measured is a device's own affair: of data only the place
matters, and a topic may have a property bag behind it.
"""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.drivers.oracle_rules import Leniency

LENIENCY: Final = Leniency(
    repeats={"subscribe": 3},
    optional=("ping",),
    beside=("ping", "hang-up", "subscribe", "unsubscribe", "puback"),
    compared={"login": ("user_name", "password"), "*": ("method", "path")},
    seen_as={"leave": "hang-up"},
    lost_as=("refused", "timeout"),
    clauses={
        "login": "hono#D01",
        "telemetry": "hono#D16",
        "event": "hono#D16",
        "gateway-telemetry": "hono#D14",
        "gateway-event": "hono#D14",
        "command-response": "hono#D15",
    },
)
