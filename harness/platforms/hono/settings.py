"""The tenant of a run: its members under the names that the management API gives them (spec 1.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from fleetrig.harness.scenario_file.values import Count, Flag, Text

PROVISIONS: Final = "auto-provisioning-enabled"
AS_GATEWAY: Final = "auto-provision-as-gateway"
DEVICE_ID_TEMPLATE: Final = "auto-provisioning-device-id-template"
AUTH_ID_TEMPLATE: Final = "auth-id-template"
TRUSTED: Final = "trusted-ca"
ADAPTERS: Final = "adapters"
MESSAGING: Final = "messaging-type"
MAX_DEVICES: Final = "max-devices"
MAX_CREDENTIALS: Final = "max-credentials-per-device"
MAX_CONNECTIONS: Final = "max-connections"
MAX_BYTES: Final = "max-bytes"
MINIMUM_SIZE: Final = "minimum-message-size"

AdapterType = Literal["hono-http", "hono-mqtt", "hono-coap"]
PLACEHOLDER: Final = re.compile(r"\{\{(.*?)\}\}")
PLACEHOLDERS: Final = ("subject-dn", "subject-cn", "subject-ou", "subject-o")


def _template(text: str) -> str:
    """The registry refuses the whole tenant for one that is none (spec 0.2)."""
    found = PLACEHOLDER.findall(text)
    if not found or not set(found) <= set(PLACEHOLDERS):
        known = ", ".join(f"{{{{{name}}}}}" for name in PLACEHOLDERS)
        raise ValueError(f"expected a template with at least one of {known}, and nothing else in double braces")
    return text


Limit = Annotated[int, Field(strict=True, ge=-1)]
"""-1: without a limit."""
Template = Annotated[Text, AfterValidator(_template)]

OF_AUTHORITIES: Final[Mapping[str, Any]] = {
    PROVISIONS: Flag,
    AS_GATEWAY: Flag,
    DEVICE_ID_TEMPLATE: Template,
    AUTH_ID_TEMPLATE: Template,
}
"""Members of each entry of `trusted-ca`."""

SETTINGS: Final[Mapping[str, Any]] = {
    TRUSTED: Literal["run", "none"],
    **OF_AUTHORITIES,
    ADAPTERS: Annotated[tuple[AdapterType, ...], Field(min_length=1)],
    MESSAGING: Literal["kafka", "amqp"],
    MAX_DEVICES: Limit,
    MAX_CREDENTIALS: Limit,
    MAX_CONNECTIONS: Limit,
    MAX_BYTES: Limit,
    MINIMUM_SIZE: Count,
}
"""Key -> the form of its value."""

NOTES: Final[Mapping[str, str]] = {
    PROVISIONS: "A device whose certificate is of such an authority is made at its first contact; true "
    "where devices have "
    "certificates.",
    AS_GATEWAY: "What is made so is a gateway.",
    DEVICE_ID_TEMPLATE: "The device-id of what is made so: {{subject-cn}} and other parts of the subject.",
    AUTH_ID_TEMPLATE: "The auth-id in place of the whole subject: {{subject-cn}} and other parts of it.",
    MESSAGING: "Over what applications are told; our own server keeps it and does nothing else with it.",
    MAX_DEVICES: "How many devices the tenant may have; -1 for any number.",
    MAX_CREDENTIALS: "How many credentials a device may have; -1 for any number.",
    MAX_CONNECTIONS: "How many devices may be connected over MQTT at once; -1 for any number.",
    MINIMUM_SIZE: "In bytes: where data volume is counted, sizes are rounded up to a multiple of it.",
    TRUSTED: "run: the run's own authority; none: nobody, until an action says so.",
    ADAPTERS: "The protocol adapters that are enabled; all when not given.",
    MAX_BYTES: "Of the data volume, in a period of 30 days; -1 for any.",
}

SHOWN: Final = frozenset(
    {"certificate", "expired_certificate", "early_certificate", "forged_certificate", "strangers_certificate"}
)
"""Credentials that are certificates."""
IN_HANDSHAKES: Final = SHOWN | {"psk"}
"""Credentials that devices show while they shake hands, and not later."""


def chosen(given: Mapping[str, Any], credential: str) -> dict[str, Any]:
    """All members of the tenant; what a scenario says itself wins.

    Where devices show certificates, the tenant trusts the run's authority and provisions whom that has signed.
    """
    usual = {TRUSTED: "run", PROVISIONS: True} if credential in SHOWN else {TRUSTED: "none"}
    return {**usual, **given}
