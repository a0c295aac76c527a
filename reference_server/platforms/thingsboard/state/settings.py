"""What the real server takes as start-up properties, plus the tenants' accounts and the generation to behave like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile


@dataclass(frozen=True, slots=True)
class Account:
    """A tenant administrator who exists from the start. Accounts of one `tenant` work in the same tenant."""

    email: str = "tenant@thingsboard.org"
    password: str = "tenant"
    tenant: str = "Tenant"
    """Title of the tenant. The defaults are the demo tenant, as every installation has it (spec 4)."""


@dataclass(frozen=True, slots=True)
class IpGuardSettings:
    """When an address may not connect any more over MQTT (`transport.rate_limits` of the real server; 5)."""

    is_on: bool = False
    wrong_logins: int = 10
    block_ms: int = 60_000


@dataclass(frozen=True, slots=True)
class Settings:
    """One server's start-up properties."""

    profile: Profile = Profile.CURRENT
    accounts: tuple[Account, ...] = (Account(),)
    administrator: Account = Account("sysadmin@thingsboard.org", "sysadmin", "")
    """Who administers the installation: its tenants and their profiles."""
    tenant_configuration: Mapping[str, int | str] = field(default_factory=dict)
    """What the default tenant profile says beside its defaults, as the wire names it: `maxDevices` (S82),
    `transportDeviceMsgRateLimit` as `capacity:seconds[,capacity:seconds]` (5) …"""
    claiming_by_default: bool = True
    """Else a device needs the server attribute `claimingAllowed` (3.5)."""
    claim_duration_ms: int = 86_400_000
    ip_guard: IpGuardSettings = IpGuardSettings()
    sessions_per_device: int = 1
    """Over MQTT; a login beyond that ends the eldest session of its device."""
    session_inactivity_ms: int = 600_000
    """After so much silence a device's MQTT session is ended; the real server looks every 3 s (5)."""
    long_poll_s: int = 60
    """How long a request of a device is held that does not say it, over HTTP (3.3)."""
    async_request_ms: int = 30_000
    """Nobody is held longer over HTTP, whatever was asked for: `spring.mvc.async.request-timeout`. The real server
    looks once a second."""
    token_s: int = 9_000
    refresh_token_s: int = 604_800
    """How long what a login gives is good for (4)."""
    payload_bytes: int = 65_536
    """The longest MQTT packet (1.4, 5)."""
    request_body_bytes: int = 16_777_216
    """Of `/api/**` over HTTP (1.5)."""
