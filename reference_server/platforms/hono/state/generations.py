"""What the generations of the server do differently, as data: asked for by name (`registry.traits`).

The defaults are profile 2, which gives the better answer wherever the real registries differ or slip; a profile names
only what it does otherwise (spec 6, and the notes on JDBC and MongoDB in 0 to 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Profile(StrEnum):
    """Generations, and the two registries of the newest one with all that they slip on."""

    CURRENT = "2"
    JDBC = "2-jdbc"
    MONGODB = "2-mongodb"
    OLD = "1"


@dataclass(frozen=True, slots=True)
class Traits:
    """The ways of one generation."""

    # The management API

    crashes: bool = False
    """An array for an object, a page size of 0, and what is wrong beside a password that has to be hashed are 500 in
    place of 400."""
    names_duplicate: bool = False
    """All conflicts are told as `an object with the same identifier already exists`."""
    status_of_taken_auth_id: int = 409
    """Another device has the (type, auth-id)."""
    knows_aliases: bool = True
    """An alias belongs to one tenant, and names it in SNI; else it is stored and means nothing."""
    shares_anchors_in_group: bool = True
    """Tenants of one trust anchor group may trust the same authority, and a tenant may have two of one name."""
    has_common_version: bool = True
    """A device and its credentials have one version, so that a change of the one changes the other's ETag."""
    keeps_auto_provisioned: bool = True
    keeps_notification_sent: bool = True
    """An operator's PUT of a device leaves these flags as they are."""
    matches_filters: bool = True
    """Searches filter and sort."""
    counts_pages: bool = True
    """`pageOffset` is a number of pages, else of objects."""
    groups_have_gateways: bool = True
    """A search for gateways finds those in a group, too."""
    shows_status_in_search: bool = True
    has_columns: bool = False
    """Ids of more than 256 letters do not fit into the database, which is told as 500."""
    tells_reason_of_mismatch: bool = True
    """`resource version mismatch` for credentials too."""

    # Generation 1 (spec 6)

    has_newer_members: bool = True
    """Members of documents that came after generation 1, ids of secrets among them."""
    refuses_unknown_members: bool = True
    checks_ids: bool = True
    has_search: bool = True
    creates_without_body: bool = True
    needs_tenant: bool = True
    """Of operations on devices."""
    hides_secrets: bool = True
    has_status: bool = True
    """Devices say when they were made and whether they were provisioned automatically."""


TRAITS: Final[Mapping[Profile, Traits]] = {
    Profile.CURRENT: Traits(),
    Profile.JDBC: Traits(
        crashes=True,
        names_duplicate=True,
        status_of_taken_auth_id=500,
        knows_aliases=False,
        shares_anchors_in_group=False,
        keeps_notification_sent=False,
        matches_filters=False,
        counts_pages=False,
        groups_have_gateways=False,
        has_columns=True,
        tells_reason_of_mismatch=False,
    ),
    Profile.MONGODB: Traits(
        crashes=True,
        has_common_version=False,
        keeps_auto_provisioned=False,
        keeps_notification_sent=False,
        shows_status_in_search=False,
    ),
    Profile.OLD: Traits(
        has_common_version=False,
        knows_aliases=False,
        shares_anchors_in_group=False,
        has_newer_members=False,
        refuses_unknown_members=False,
        checks_ids=False,
        has_search=False,
        creates_without_body=False,
        needs_tenant=False,
        hides_secrets=False,
        has_status=False,
    ),
}
