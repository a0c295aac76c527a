"""The device profile of a run: its members under the names that the REST API gives them (spec 2, 4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from fleetrig.harness.scenario_file.values import Flag, Text

STRATEGY: Final = "provisionType"
PATTERN: Final = "certificateRegExPattern"
CREATES: Final = "allowCreateNewDevicesByX509Certificate"

DISABLED: Final = "DISABLED"
CREATE: Final = "ALLOW_CREATE_NEW_DEVICES"
CHECK: Final = "CHECK_PRE_PROVISIONED_DEVICES"
CHAIN: Final = "X509_CERTIFICATE_CHAIN"

Strategy = Literal["DISABLED", "ALLOW_CREATE_NEW_DEVICES", "CHECK_PRE_PROVISIONED_DEVICES", "X509_CERTIFICATE_CHAIN"]

SETTINGS: Final[Mapping[str, Any]] = {STRATEGY: Strategy, PATTERN: Text, CREATES: Flag}
"""Key -> the form of its value. Key and secret are no settings: each run makes its own."""

NOTES: Final[Mapping[str, str]] = {
    STRATEGY: "Who may provision itself: nobody, anybody with key and secret, those that were imported before, or who "
    "shows a certificate chain.",
    PATTERN: "Finds the device's name in the common name of its certificate; the first group counts, (.*) "
    "when not given.",
    CREATES: "A device that shows a chain and is not known is made; true when not given.",
}
"""Setting -> a sentence for editors."""

CHAINS: Final = frozenset({"certificate_chain", "expired_chain", "strangers_chain"})
"""Credentials with which a device asks for nothing: it shows a chain of which the profile knows an authority."""
CERTIFICATES: Final = CHAINS | {"certificate"}
"""Credentials that are certificates."""

TLS_OF: Final = {"mqtt": "mqtts", "coap": "coaps", "http": "https"}
"""Transport -> the listener that asks for certificates."""


def chosen(given: Mapping[str, Any], credential: str) -> dict[str, Any]:
    """All members of the profile; what a scenario says itself wins."""
    strategy = CHAIN if credential in CHAINS else CREATE
    settings = {STRATEGY: strategy, **given}
    if settings[STRATEGY] == CHAIN:
        settings = {PATTERN: "(.*)", CREATES: True, **settings}
    return settings
