"""Where the generations differ, as the rows show it: on a server of another profile just these find what profile 2 does
not do. The contract page names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

OF_BOTH: Final[Mapping[str, str]] = {
    "500 in the place of 400": "R07 R36 R49 A21",
    "500 for a dollar sign, and backslashes are lost": "A47",
    "what is told of a device is told again after a change": "A37",
    "an unsuccessful contact leaves a device without credentials": "A49",
    "CoAP makes the device of a disabled tenant": "A14",
    "without Prometheus nothing is counted": "A52 M04 H07",
}
"""What both registries of Hono 2.7 do otherwise than profile 2."""
DIFFERENCES: Final[Mapping[str, Mapping[str, str]]] = {
    "2-jdbc": {
        **OF_BOTH,
        "500 for credentials that another device has": "R46",
        "several tenants may have an alias": "R60",
        "no trust anchor groups, and no two authorities of one name": "R13 R63 A34 A40 A41 A42",
        "pageOffset counts devices": "R35",
        "filters find nothing, and nothing is sorted": "R38",
    },
    "2-mongodb": {
        **OF_BOTH,
        "credentials have a version of their own": "R53",
        "the secret of a certificate may have expired": "A51",
    },
}
"""A profile -> what it does otherwise than profile 2 -> the rows that say so."""


def differences_of(number: str) -> list[tuple[str, str]]:
    """(profile, what it does otherwise) for one row."""
    return [
        (profile, what)
        for profile, rows_by_what in DIFFERENCES.items()
        for what, numbers in rows_by_what.items()
        if number in numbers.split()
    ]
