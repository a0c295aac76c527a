"""Where the generations differ, as the rows show it: on a server of another profile just these find what the newest
does not do. The contract page names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

EVERYWHERE: Final[Mapping[str, str]] = {
    "3.2": "SUBSCRIBE in a provision session is not answered, and replies have QoS 1",
    "as-documented": "other members in answers (§1.2)",
}
"""Profile -> what it does otherwise in every row that asks for credentials: named in a few that are about it."""
DIFFERENCES: Final[Mapping[str, Mapping[str, str]]] = {
    "4.2": {"a listed device is answered as often as it asks": "S39 S86"},
    "3.2": {
        "a listed device is answered as often as it asks": "S39 S86",
        EVERYWHERE["3.2"]: "S56 S57 S59",
        "the session ends without a PUBACK, and without a reason for MQTT 5": "S28 S32 S33 S34 S61 S62 S92",
        "MQTT 5 is told no reason": "S20 S48 S54 S66 S67 S85 S104 S105",
        "the flag is ignored": "S29",
        "the session is not ended": "S64 S88",
        "no certificate chains": "S75 S76 S77 S78 S79 S80 S81 S107 S108 S109 S110",
    },
    "as-documented": {EVERYWHERE["as-documented"]: "S01 S04 S10 S16 S19 S25"},
}
"""A profile -> what it does otherwise than the newest -> the rows that say so."""


def differences_of(number: str) -> list[tuple[str, str]]:
    """(profile, what it does otherwise) for one row."""
    return [
        (profile, what)
        for profile, rows_by_what in DIFFERENCES.items()
        for what, numbers in rows_by_what.items()
        if number in numbers.split()
    ]
