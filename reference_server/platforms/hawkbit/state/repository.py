"""The platform's view of the store: look-ups that both halves share, and the tenant configuration, parsed once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fleetrig.reference_server.platforms.hawkbit.state.config_keys import GATEWAY_KEY, effective
from fleetrig.reference_server.platforms.hawkbit.state.errors import not_found
from fleetrig.reference_server.platforms.hawkbit.state.generations import TRAITS, Traits
from fleetrig.reference_server.platforms.hawkbit.state.polling import PollingTime, parse_duration, parse_polling_time
from fleetrig.reference_server.platforms.hawkbit.state.records import (
    LAST_POLL,
    TARGET,
    TENANT,
    LastPoll,
    Target,
    Tenant,
)
from fleetrig.reference_server.platforms.hawkbit.state.settings import Settings
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.header_text import basic_credentials

if TYPE_CHECKING:
    from fleetrig.reference_server.platforms.hawkbit.state.kept_answers import Notes


@dataclass(frozen=True, slots=True)
class TenantConfig:
    """A tenant's configuration as the handlers need it; `values` has every key, defaults included."""

    values: dict[str, Any]
    target_token_on: bool
    gateway_token_on: bool
    gateway_key: str
    header_on: bool
    authorities: frozenset[str]
    """Trusted authorities in lower case."""
    polling: PollingTime
    overdue_ms: int
    window_poll_count: int
    confirmation_on: bool


class Repository:
    """Store, blobs, entropy and settings of one platform; every handler has it as `call.repo`."""

    def __init__(self, store: Store, blobs: Blobs, entropy: Entropy, settings: Settings) -> None:
        self.store = store
        self.blobs = blobs
        self.entropy = entropy
        self.settings = settings
        self.traits = TRAITS[settings.profile]
        self.address_header = settings.remote_ip_header.lower()
        self.certificate_headers = _certificate_headers(settings, self.traits)
        self.min_polling_s = parse_duration(settings.min_polling_time) // 1000
        self.max_polling_s = parse_duration(settings.max_polling_time) // 1000
        self.new_secrets = [
            ("basic", basic_credentials(account.user, account.password)) for account in settings.accounts
        ]
        self.new_secrets.append(("gateway-token", settings.config_defaults.get(GATEWAY_KEY, "")))
        self.notes: Notes | None = None
        """While an answer is worked out that may be kept: what it depends on."""
        self.written_targets: dict[str, set[str]] = {}
        """Tenant -> targets that were written since the last round of auto-assignment."""
        self.moved_rollouts: set[str] = set()
        """Tenants in which an action of a rollout was written since their rollouts were last looked at."""
        self._configs: dict[str, tuple[Tenant | None, TenantConfig]] = {}

    def learn(self, kind: str, secret: str) -> None:
        """A secret came up: it is masked from now on."""
        self.new_secrets.append((kind, secret))

    def tenant(self, name: str) -> Tenant | None:
        return self.store.get(TENANT, name, name)

    def config(self, name: str) -> TenantConfig:
        """A tenant's configuration; a tenant that does not exist has the server's defaults (S123)."""
        record = self.tenant(name)
        cached = self._configs.get(name)
        if cached is not None and (cached[0] is record or cached[0] == record):
            return cached[1]
        config = self._parse(record)
        if record is not None:
            self._configs[name] = (record, config)
        return config

    def target(self, tenant: str, controller_id: str) -> Target | None:
        return self.store.get(TARGET, tenant, controller_id)

    def need_target(self, tenant: str, controller_id: str) -> Target:
        """The target, or 404."""
        target = self.store.get(TARGET, tenant, controller_id)
        if target is None:
            raise not_found("Target", controller_id, f"no such target in tenant {tenant}: {controller_id}")
        return target

    def save(self, tenant: str, target: Target) -> None:
        self.store.put(TARGET, tenant, target)
        self.written_targets.setdefault(tenant, set()).add(target.controller_id)

    def last_poll_ms(self, tenant: str, controller_id: str) -> int | None:
        poll = self.store.get(LAST_POLL, tenant, controller_id)
        return None if poll is None else poll.at_ms

    def polled(self, tenant: str, controller_id: str, now_ms: int) -> None:
        self.store.put(LAST_POLL, tenant, LastPoll(controller_id, now_ms), lazily=True)

    def _trusted(self, authorities: str) -> list[str]:
        separator = self.settings.authority_separator
        return split_authorities(authorities, separator, trimmed=not self.traits.authorities_are_numbered)

    def _parse(self, record: Tenant | None) -> TenantConfig:
        values = effective(self.settings, record)
        return TenantConfig(
            values=values,
            target_token_on=values["authentication.targettoken.enabled"],
            gateway_token_on=values["authentication.gatewaytoken.enabled"],
            gateway_key=values[GATEWAY_KEY],
            header_on=values["authentication.header.enabled"],
            authorities=frozenset(self._trusted(values["authentication.header.authority"])),
            polling=parse_polling_time(values["pollingTime"]),
            overdue_ms=parse_duration(values["pollingOverdueTime"]),
            window_poll_count=values["maintenanceWindowPollCount"],
            confirmation_on=values["user.confirmation.flow.enabled"],
        )


def _certificate_headers(settings: Settings, traits: Traits) -> tuple[str, str]:
    """(identity, authority) in lower case: what a reverse proxy tells of a certificate. Renamed in 1.0 (§3.3)."""
    identity = settings.identity_header or traits.identity_header
    authority = settings.authority_header or traits.authority_header
    return identity.lower(), authority.lower()


JAVA_WHITE: Final = "".join(map(chr, range(0x21)))
"""What Java's `trim` takes away: no blank beyond ASCII."""


def split_authorities(text: str, separator: str, *, trimmed: bool = True) -> list[str]:
    """A list of authorities in lower case (§3.3). As Java splits: no text is one that is empty."""
    pieces = re.split(separator, text)
    while text and pieces and not pieces[-1]:
        pieces.pop()
    return [piece.lower().strip(JAVA_WHITE) if trimmed else piece.lower() for piece in pieces]
