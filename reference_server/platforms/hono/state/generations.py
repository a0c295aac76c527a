"""What the generations of the server do differently, as data: asked for by name (`registry.traits`).

The defaults are profile 2, which gives the better answer wherever the real registries differ or slip; a profile names
only what it does otherwise (spec 6, and the notes on JDBC and MongoDB in 0 to 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

PROVISIONING_TAKES_US: Final = 250_000
"""A real registry takes some 10 ms of CPU for a first contact; with twenty at once each waits for all."""


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
    """An array for an object, a page size of 0, a null for a secret, a path or query that an adapter cannot read, and
    what is wrong beside a password that has to be hashed are 500 or 503 in place of 400."""
    keeps_null_ids: bool = False
    """A null in `via`, `viaGroups`, `memberOf` and `authorities` is an id like others."""
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
    tells_no_match: bool = True
    """A search that finds nothing says what it looked for, else only `Error Code: 404`."""
    shows_authorities_in_search: bool = True
    """Tenants that are found have their `trusted-ca`; else that stands in another table, and is left away."""
    has_columns: bool = False
    """Ids of more than 256 letters do not fit into the database, which is told as 500."""
    tells_reason_of_mismatch: bool = True
    """`resource version mismatch` for credentials too."""

    # Sign-in and provisioning

    caches_tenants_s: int = 0
    """How long adapters go on with what they know of a tenant, whatever became of it (spec 0)."""
    trusts_expired_authorities: bool = False
    """Adapters get authorities whose time is over, too; nothing is provisioned by them."""
    looks_at_secrets_of_certificates: bool = True
    """The secret of x509 credentials has to count now."""
    leaves_orphans: bool = False
    """Device and credentials are made in two steps, and nobody undoes the first (2.3)."""
    provisioning_takes_us: int = 0
    """In which other first contacts of a device do not see that it is there: they lose the race (A28)."""
    fills_templates_as_java: bool = False
    """Values are taken for replacements of a regular expression (0.2)."""
    status_of_failed_template: int = 400
    """The certificate lacks what the template of device-ids needs."""
    provisions_for_disabled_tenants: bool = False
    """Over CoAP, whose handshake does not ask (2.2)."""
    enforces_resource_limits: bool = True
    """Else as without Prometheus: nothing is counted (4.5)."""

    shows_unsubscribe_codes: bool = False
    """An UNSUBACK has a code for each filter in MQTT 3 too, which has none: some clients take it for broken."""

    # Generation 1 (spec 6)

    speaks_mqtt_5: bool = True
    reports_errors: bool = True
    """Devices may subscribe to errors of what they publish over MQTT."""
    closes_connections: bool = True
    """Of devices and tenants that were deleted or disabled."""
    looks_at_server_names: bool = True
    """A tenant may be named by SNI."""
    registry_checks_authority: bool = True
    """Before it provisions; else what the adapter says is enough."""
    checks_tenant_first: bool = True
    """Before credentials are looked up, so that nothing is provisioned for a tenant that is disabled."""
    announces_devices: bool = True
    provisions_edge_devices: bool = True
    takes_tokens: bool = True
    has_json_errors: bool = True
    """Of adapters over HTTP; else they are plain text."""

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
        keeps_null_ids=True,
        shows_unsubscribe_codes=True,
        names_duplicate=True,
        status_of_taken_auth_id=500,
        knows_aliases=False,
        shares_anchors_in_group=False,
        keeps_notification_sent=False,
        matches_filters=False,
        counts_pages=False,
        shows_authorities_in_search=False,
        groups_have_gateways=False,
        has_columns=True,
        tells_reason_of_mismatch=False,
        caches_tenants_s=60,
        trusts_expired_authorities=True,
        leaves_orphans=True,
        provisioning_takes_us=PROVISIONING_TAKES_US,
        fills_templates_as_java=True,
        status_of_failed_template=500,
        provisions_for_disabled_tenants=True,
        enforces_resource_limits=False,
    ),
    Profile.MONGODB: Traits(
        crashes=True,
        keeps_null_ids=True,
        shows_unsubscribe_codes=True,
        has_common_version=False,
        keeps_auto_provisioned=False,
        keeps_notification_sent=False,
        shows_status_in_search=False,
        tells_no_match=False,
        caches_tenants_s=180,
        looks_at_secrets_of_certificates=False,
        leaves_orphans=True,
        provisioning_takes_us=PROVISIONING_TAKES_US,
        fills_templates_as_java=True,
        status_of_failed_template=500,
        provisions_for_disabled_tenants=True,
        enforces_resource_limits=False,
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
        speaks_mqtt_5=False,
        reports_errors=False,
        closes_connections=False,
        trusts_expired_authorities=True,
        provisions_for_disabled_tenants=True,
        looks_at_server_names=False,
        registry_checks_authority=False,
        checks_tenant_first=False,
        announces_devices=False,
        provisions_edge_devices=False,
        takes_tokens=False,
        has_json_errors=False,
    ),
}
