"""Where the generations differ, as the rows show it: on a server of another profile just these find what the newest
does not do. The contract page names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

DIFFERENCES: Final[Mapping[str, Mapping[str, str]]] = {
    "0.9": {
        "no target groups": "S01 S177",
        "a violation is said of the record": "S07 S09 S10 S11 S153",
        "the challenge names no charset": "S26",
        "changes and deletions answer 200":
            "S21 S30 S57 S128 S132 S151 S163 S164 S165 S166 S167 S169 S172 S173 S174 S175 S176 S189",
        "other names of the certificate headers": "S52 S53 S54",
        "a change of the configuration answers with the value": "S75 S79",
        "polling times are HH:mm:ss": "S77 S78 S139",
        "a quota is a 403": "S82 S102 S103",
        "an action's own status is its detailStatus":
            "S90 S94 S96 S97 S98 S99 S100 S101 S104 S105 S106 S107 S108 S109 S110 S111 S119 S120 S129 S131 S133 S143 "
            "S156 S159 S162 S183",
        "a file's ETag is the bare sha1": "S114 S115 S117 S118 S140",
        "values are not converted": "S127 S185",
        "rollouts are not stopped": "S150",
        "operators delete no actions, nor does the server": "S160 S161 S188",
        "automatic assignments belong to filters": "S180",
        "targets are not found by group, type or confirmation": "S181",
        "one object is no array": "S130",
        "TRACE is a 400": "S136",
    },
    "as-documented": {
        "registered at once, zeros for what has not happened, other links (§5)": "S01 S15 S25 S40 S43 S45 S121 S181",
        "who creates a target that creates itself, and zeros (§5)": "S46 S49",
    },
}  # fmt: skip
"""A profile -> what it does otherwise than the newest -> the rows that say so."""


def differences_of(number: str) -> list[tuple[str, str]]:
    """(profile, what it does otherwise) for one row."""
    return [
        (profile, what)
        for profile, rows_by_what in DIFFERENCES.items()
        for what, numbers in rows_by_what.items()
        if number in numbers.split()
    ]
