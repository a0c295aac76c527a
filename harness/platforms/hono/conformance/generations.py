"""What rows expect of a generation, where generations differ: asked for by name (`client.expect_known`).

The defaults are profile 2's: the better answer, wherever the two registries of Hono 2.7 differ or slip. `2-jdbc` and
`2-mongodb` are what these were seen to do, `1` is Hono 1.1 (docs/contracts/hono.md §6).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Generation:
    """The ways of one generation, apart from what the reference server knows of them."""

    # The management API

    status_of_wrong_kind: int = 400
    """An array for an object, a page size of 0, a validity that ends before it begins."""
    status_of_taken_auth_id: int = 409
    """Another device has credentials of this type and auth-id."""
    status_of_taken_alias: int = 409
    status_of_shared_authority: int = 201
    """Two tenants of one trust anchor group trust the same authority."""
    status_of_second_key: int = 201
    """A tenant trusts two authorities of one name."""
    has_common_version: bool = True
    """A change of credentials changes the device's version."""
    pages_are_counted: bool = True
    """`pageOffset` counts pages, else objects."""
    matches_filters: bool = True
    sorts: bool = True
    keeps_auto_provisioned: bool = True
    keeps_notification_sent: bool = True
    """An operator's PUT of a device leaves these flags as they are."""

    # Provisioning and signing in

    status_of_missing_attribute: int = 400
    """The certificate lacks what the device-id template names."""
    status_of_dollar: int = 202
    """A dollar sign in what the auth-id template names."""
    keeps_backslashes: bool = True
    """In the same place."""
    status_of_disabled_credentials: int = 409
    loses_races: bool = False
    """Of first contacts at the same time one is accepted, the others are not, and have to come again."""
    leaves_orphans: bool = False
    """A contact that comes to nothing after the device was made leaves it behind, without credentials."""
    provisions_before_it_refuses: bool = False
    """CoAP makes the device of a disabled tenant."""
    judges_secret_of_certificate: bool = True
    """Credentials of type x509-cert whose secret has expired are no good."""
    counts_connections: bool = True
    """`max-connections` is enforced; a Hono needs Prometheus for it."""
    counts_data: bool = True
    """So is `data-volume`."""

    # Hono 1.1

    is_current: bool = True
    """What came with 1.2 and later is there (§6)."""


GENERATIONS: Final[Mapping[str, Generation]] = {
    "2": Generation(),
    "2-jdbc": Generation(
        status_of_wrong_kind=500,
        status_of_taken_auth_id=500,
        status_of_taken_alias=201,
        status_of_shared_authority=409,
        status_of_second_key=409,
        pages_are_counted=False,
        matches_filters=False,
        sorts=False,
        keeps_notification_sent=False,
        status_of_missing_attribute=500,
        status_of_dollar=500,
        keeps_backslashes=False,
        status_of_disabled_credentials=500,
        loses_races=True,
        leaves_orphans=True,
        provisions_before_it_refuses=True,
        counts_connections=False,
        counts_data=False,
    ),
    "2-mongodb": Generation(
        status_of_wrong_kind=500,
        has_common_version=False,
        keeps_auto_provisioned=False,
        keeps_notification_sent=False,
        status_of_missing_attribute=500,
        status_of_dollar=500,
        keeps_backslashes=False,
        loses_races=True,
        leaves_orphans=True,
        provisions_before_it_refuses=True,
        judges_secret_of_certificate=False,
        counts_connections=False,
        counts_data=False,
    ),
    "1": Generation(loses_races=True, is_current=False),
}
"""Profile -> its generation."""


def seen_beside(profile: str) -> list[Generation]:
    """The generations that a foreign server of this profile's version may turn out to be."""
    return [one for name, one in GENERATIONS.items() if one.is_current is GENERATIONS[profile].is_current]
