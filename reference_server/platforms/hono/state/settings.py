"""What the real components take as configuration, and the generation to behave like (spec 0)."""

from __future__ import annotations

from dataclasses import dataclass

from fleetrig.reference_server.platforms.hono.state.generations import Profile


@dataclass(frozen=True, slots=True)
class Account:
    """Who may use the management API."""

    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Settings:
    """One server's start-up properties."""

    profile: Profile = Profile.CURRENT
    accounts: tuple[Account, ...] = ()
    """Without any the management API is open, as in the example deployments."""
    registry_body_bytes: int = 2048
    """`maxPayloadSize` of the registry's HTTP endpoint."""
    payload_bytes: int = 2048
    """`maxPayloadSize` of the adapters."""
    mqtt_connections: int = -1
    """`maxConnections` of the MQTT adapter, over all tenants; -1: no limit."""
    max_bcrypt_cost: int = 10
    """Of hashes that are uploaded, and the cost of those that the registry makes."""
    hash_functions: tuple[str, ...] = ()
    """`hashAlgorithmsAllowList`; empty: any name may be stored."""
    devices_per_tenant: int = -1
    """Over all tenants that set no limit of their own; -1: none. Generation 1 begins with 100."""
    cors_allowed_origin: str = "*"
    webhook: str = ""
    """The URL of an external system on this machine that hears of devices which were provisioned; empty: of none."""
