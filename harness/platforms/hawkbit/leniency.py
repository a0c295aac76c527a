"""What real hawkBit devices do otherwise than our model without harm, and what of their messages matters.

Sources: docs/contracts/hawkbit.md §2; §7 for what clients in the field do (swupdate looks twice at a deployment).
"""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.drivers.oracle_rules import Leniency

WHO: Final = ("method", "path", "header:Authorization")
REPORT: Final = (*WHO, "body:status.execution", "body:status.result.finished")

LENIENCY: Final = Leniency(
    repeats={
        "deploymentBase": 4,
        "cancelAction": 4,
        "confirmationBase": 2,
        "feedback-proceeding": 20,
    },
    looks_again={"deploymentBase": ("poll",), "cancelAction": ("poll",)},
    optional=("poll",),
    unsaid=("feedback-downloaded",),
    beside=(
        "*-head",
        "download-md5",
        "installedBase",
        "artifacts",
        "feedback-download",
        "feedback-scheduled",
        "feedback-proceeding",  # as often as it likes, once it has begun
        "configData",  # unasked is merely not recommended (V04); it is missed where the model sends it
    ),
    compared={
        "feedback-closed": REPORT,
        "feedback-rejected": REPORT,
        "feedback-confirmed": (*WHO, "body:confirmation"),
        "feedback-denied": (*WHO, "body:confirmation"),
        "feedback-*": (*WHO, "body:status.execution"),
        "*": WHO,
    },
    clauses={
        "poll": "hawkbit#V01",
        "configData": "hawkbit#V04",
        "deploymentBase": "hawkbit#V14",
        "download": "hawkbit#V16",
        "feedback-closed": "hawkbit#V27",
        "feedback-*": "hawkbit#V14",
        "cancelAction": "hawkbit#V21",
        "confirmationBase": "hawkbit#V36",
    },
)
