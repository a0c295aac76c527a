"""Who does something, when and in which tenant: a `Call`, or the server by itself (`Scheduled`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from fleetrig.reference_server.platforms.hawkbit.state.errors import not_found
from fleetrig.reference_server.platforms.hawkbit.state.repository import Repository, TenantConfig
from fleetrig.reference_server.stores.interface import Key, Kind, R
from fleetrig.simulator.contract.clock import US_PER_MS


class Context(Protocol):
    """What the rules of deployment need to know of their caller. Every `Call` is one."""

    @property
    def repo(self) -> Repository: ...
    @property
    def tenant(self) -> str: ...
    @property
    def config(self) -> TenantConfig: ...
    @property
    def user(self) -> str:
        """The operator, or the controllerId of a device: who counts as the maker of what comes into being."""

    @property
    def now_us(self) -> int: ...
    @property
    def now_ms(self) -> int: ...

    def may(self, permission: str) -> bool:
        """Whether an operator has a right. Devices and the server itself are not asked for any."""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Something that happens by itself, on behalf of `user`."""

    repo: Repository
    tenant: str
    user: str
    now_us: int

    @property
    def now_ms(self) -> int:
        return self.now_us // US_PER_MS

    @property
    def config(self) -> TenantConfig:
        return self.repo.config(self.tenant)

    def may(self, permission: str) -> bool:
        return True


def need(ctx: Context, kind: Kind[R], key: Key, called: str) -> R:
    """A record of the tenant. Raises 404; `called` is the server's word for it: `Rollout`, `DistributionSet` …"""
    record = ctx.repo.store.get(kind, ctx.tenant, key)
    if record is None:
        raise not_found(called, key)
    return record
