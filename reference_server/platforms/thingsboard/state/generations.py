"""What the generations of the server do differently on the wire, as data: asked for by name (`registry.traits`).

The defaults are the newest behaviour (4.3), a profile names only what it does otherwise (spec 1.7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Profile(StrEnum):
    """Generations that differ on the wire, and the documentation where it disagrees with the server."""

    CURRENT = "4.3"
    PREVIOUS = "4.2"
    OLD = "3.2"
    AS_DOCUMENTED = "as-documented"


@dataclass(frozen=True, slots=True)
class Traits:
    """The ways of one generation."""

    answers_once: bool = True
    """CHECK_PRE_PROVISIONED_DEVICES refuses a device that is provisioned; else it answers for ever (4.2.1.1)."""
    has_certificate_chain: bool = True
    """The strategy X509_CERTIFICATE_CHAIN, and the look at certificates in the handshake (3.5)."""
    closes_after_reply_s: int | None = 60
    """A provision session ends so long after its first reply (3.3)."""
    has_reason_codes: bool = True
    """Version 5 is told reasons, and a publish to a wrong topic is acknowledged before the close (3.7)."""
    has_gateway_flag: bool = True
    """A request may ask for a gateway (3.8)."""
    acknowledges_provision_subscriptions: bool = True
    """SUBACK and UNSUBACK in a provision session; else such packets are ignored (3.9)."""
    has_api_keys: bool = True
    """`Authorization: ApiKey` in place of a login (4.3)."""
    told_version: str = "4.3.1.3"
    """What it says it is, asked over its API; empty: it has no such question."""
    answers_as_documented: bool = False
    """`provisionDeviceStatus`, `deviceId` and `accessToken` in place of what any release sends (spec 6)."""


TRAITS: Final[Mapping[Profile, Traits]] = {
    Profile.CURRENT: Traits(),
    Profile.PREVIOUS: Traits(answers_once=False, has_api_keys=False, told_version="4.2.1"),
    Profile.OLD: Traits(
        answers_once=False,
        has_certificate_chain=False,
        closes_after_reply_s=None,
        has_reason_codes=False,
        has_gateway_flag=False,
        acknowledges_provision_subscriptions=False,
        has_api_keys=False,
        told_version="",
    ),
    Profile.AS_DOCUMENTED: Traits(answers_as_documented=True),
}
