"""What the real server takes as start-up properties, plus the accounts and the generation to behave like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from fleetrig.reference_server.platform import ClientVerifier
from fleetrig.reference_server.platforms.hawkbit.state.artifact_urls import PROTOCOLS, UrlProtocol
from fleetrig.reference_server.platforms.hawkbit.state.forwarded import Forwarding

PRIVATE_ADDRESSES: Final = (
    r"10\.\d{1,3}\.\d{1,3}\.\d{1,3}|192\.168\.\d{1,3}\.\d{1,3}|169\.254\.\d{1,3}\.\d{1,3}|127\.\d{1,3}\.\d{1,3}\.\d{1,3}"
    r"|172\.1[6-9]{1}\.\d{1,3}\.\d{1,3}|172\.2[0-9]{1}\.\d{1,3}\.\d{1,3}|172\.3[0-1]{1}\.\d{1,3}\.\d{1,3}"
)
"""The default white list of the DoS filter (`HawkbitSecurityProperties.java`); searched for, not matched whole."""


class Profile(StrEnum):
    """Generations that differ on the wire, and the documentation where it disagrees with the server (§5)."""

    CURRENT = "1.1"
    OLD = "0.9"
    AS_DOCUMENTED = "as-documented"


@dataclass(frozen=True, slots=True)
class Account:
    """A Mgmt user. `rights` are permission or role names as the real server spells them (§1.1)."""

    user: str
    password: str
    rights: tuple[str, ...] = ("ROLE_TENANT_ADMIN",)
    tenant: str = "DEFAULT"


@dataclass(frozen=True, slots=True)
class DosFilter:
    """§3.5. Patterns are regular expressions searched for in the client's address."""

    enabled: bool = True
    max_read: int = 200
    max_write: int = 50
    whitelist: str = PRIVATE_ADDRESSES


UNLIMITED: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Quotas:
    """§1.7, under the names of `hawkbit.server.security.dos.*`; `UNLIMITED` where those say 0 or less."""

    attributes_per_target: int = 100
    metadata_per_target: int = 100
    metadata_per_set: int = 100
    metadata_per_module: int = 100
    actions_per_target: int = 2000
    status_entries_per_action: int = 1000
    messages_per_status: int = 50
    assignments_per_request: int = 5000
    targets_per_auto_assignment: int = 20000
    groups_per_rollout: int = 500
    targets_per_rollout_group: int = 20000
    modules_per_set: int = 100
    module_types_per_set_type: int = 50
    artifacts_per_module: int = 50
    set_types_per_target_type: int = 50
    artifact_bytes: int = 1_073_741_824
    all_artifacts_bytes: int = 21_474_836_480


@dataclass(frozen=True, slots=True)
class Settings:
    """One server's start-up properties; `properties.settings_from_properties` makes it from the real names."""

    profile: Profile = Profile.CURRENT
    accounts: tuple[Account, ...] = (Account("admin", "admin"),)
    min_polling_time: str = "00:00:30"
    max_polling_time: str = "23:59:59"
    config_defaults: Mapping[str, Any] = field(default_factory=dict)
    """Tenant configuration key -> server default, where it differs from the usual one (§1.6)."""
    dos: DosFilter = DosFilter()
    blacklist: str = ""
    """Regular expression of client addresses that get 403."""
    forwarding: Forwarding = Forwarding.NONE
    """Whose forwarding headers are believed, for links and for the peer."""
    remote_ip_header: str = "X-Forwarded-For"
    track_remote_ip: bool = True
    trusted_ips: tuple[str, ...] = ()
    """Peers whose device requests are looked at; empty: all."""
    allowed_host_names: tuple[str, ...] = ()
    basic_realm: str = "hawkBit"
    identity_header: str = ""
    authority_header: str = ""
    """What a reverse proxy tells of a certificate; empty: as the generation names it."""
    authority_separator: str = "[;,]"
    """Regular expression between the authorities of a list."""
    client_verifier: ClientVerifier | None = None
    """Whom a reverse proxy in front trusts to issue client certificates; None: nothing stands in front."""
    implicit_tenant_creation: bool = True
    auto_assign_every_s: float = 2.0
    rollout_every_s: float = 2.0
    action_cleanup_every_s: float = 86_400.0
    dynamic_fill_every_s: float = 60.0
    """How long a dynamic rollout waits when it found no new targets."""
    context_path: str = ""
    """What all paths begin with: `/hb`; empty for none."""
    artifact_context_path: str = ""
    """What stands for `{contextPath}` in links to files: a property of its own in the real server."""
    quotas: Quotas = Quotas()
    first_action_id: int = 1
    """Actions are numbered from here on: no property of the real server, but devices must do with any number."""
    artifact_protocols: Mapping[str, UrlProtocol] = field(default_factory=lambda: PROTOCOLS)
    """By name: the links that files have."""
