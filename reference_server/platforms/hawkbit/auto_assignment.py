"""What filters assign by themselves (§1.5): the set of a filter goes to every matching target that never had it.

The real server looks at all targets every two seconds. Here a round looks only at targets that were written since the
last one, and at all of them after an operator changed anything or while a query depends on the time. A round falls
due only when there is something to look at.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from reference_server.platforms.hawkbit import software
from reference_server.platforms.hawkbit.action_records import ACTION, DEFAULT_WEIGHT, ForceType, joined
from reference_server.platforms.hawkbit.assignment import Assignment, assign
from reference_server.platforms.hawkbit.context import Scheduled
from reference_server.platforms.hawkbit.errors import HawkbitError
from reference_server.platforms.hawkbit.listing import with_moments
from reference_server.platforms.hawkbit.records import TARGET, TARGET_FILTER, TARGET_TYPE, Target, TargetFilter
from reference_server.platforms.hawkbit.repository import Repository
from reference_server.platforms.hawkbit.rsql_match import Match, compiled
from reference_server.platforms.hawkbit.target_fields import TARGET_FIELDS, Look
from simulator.contract.clock import to_us

TIMED: Final = ("${", "lastcontrollerrequestat")
"""What makes a query depend on the time: no write announces that its answer changed."""


class AutoAssignment:
    """The scheduler of one platform. `note` after every request, `run` when `due_us` has come."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._every_us = to_us(repo.settings.auto_assign_every_s)
        self._stale_tenants: set[str] = set(repo.store.tenants(TARGET_FILTER))
        self.due_us: int | None = 0 if self._stale_tenants else None

    def note(self, tenant: str, now_us: int, *, by_operator: bool) -> None:
        """A request was handled. Operators' writes make every target of their tenant worth a look."""
        if by_operator:
            self._stale_tenants.add(tenant)
        if self.due_us is None and (by_operator or tenant in self._repo.written_targets):
            if self._repo.store.count(TARGET_FILTER, tenant):
                self.due_us = (now_us // self._every_us + 1) * self._every_us
            else:
                self._forget(tenant)

    def run(self, now_us: int) -> None:
        """One round. What it assigns is looked at again in the next: another filter may match only then."""
        written, self._repo.written_targets = self._repo.written_targets, {}
        stale, self._stale_tenants = self._stale_tenants, set()
        timed = False
        for tenant in self._repo.store.tenants(TARGET_FILTER):
            for one in _by_weight(self._repo, tenant):
                is_timed = any(word in one.query.lower() for word in TIMED)
                timed = timed or is_timed
                ctx = Scheduled(self._repo, tenant, one.modified_by, now_us)
                candidates = self._candidates(
                    tenant, None if is_timed or tenant in stale else written.get(tenant, set())
                )
                wanted = [target.controller_id for target in candidates if wants(ctx, one, target)]
                if wanted:
                    _assign(ctx, one, wanted)
        again = timed or bool(self._repo.written_targets)
        self.due_us = (now_us // self._every_us + 1) * self._every_us if again else None

    def _candidates(self, tenant: str, only: set[str] | None) -> Iterable[Target]:
        """All targets of a tenant, or only these."""
        if only is None:
            return list(self._repo.store.scan(TARGET, tenant))
        found = (self._repo.target(tenant, controller_id) for controller_id in sorted(only))
        return [target for target in found if target is not None]

    def _forget(self, tenant: str) -> None:
        self._stale_tenants.discard(tenant)
        self._repo.written_targets.pop(tenant, None)


def wants(ctx: Scheduled, one: TargetFilter, target: Target) -> bool:
    """True when a filter's set is new to a matching target of a type that takes it."""
    if one.set_id is None or not matcher(ctx, one.query)(target, Look(ctx.repo, ctx.tenant)):
        return False
    if ctx.repo.store.count(ACTION, ctx.tenant, "set_target", joined(one.set_id, target.controller_id)):
        return False
    if target.type_id is None:
        return True
    kind = ctx.repo.store.get(TARGET_TYPE, ctx.tenant, target.type_id)
    return kind is None or software.need_set(ctx, one.set_id).type_id in kind.set_type_ids


def matcher(ctx: Scheduled, query: str) -> Match:
    """A query as a function of (target, look)."""
    return compiled(with_moments(ctx, query), TARGET_FIELDS)


def _by_weight(repo: Repository, tenant: str) -> list[TargetFilter]:
    filters = [one for one in repo.store.scan(TARGET_FILTER, tenant) if one.set_id is not None]
    return sorted(filters, key=lambda one: (-(one.weight or 0), one.id))


def _assign(ctx: Scheduled, one: TargetFilter, controller_ids: list[str]) -> None:
    """A set that became invalid or incomplete meanwhile is assigned to nobody."""
    assert one.set_id is not None
    most = ctx.repo.settings.quotas.assignments_per_request
    try:
        for start in range(0, len(controller_ids), most):
            wanted = [
                Assignment(
                    controller_id,
                    one.set_id,
                    one.action_type or ForceType.FORCED,
                    weight=DEFAULT_WEIGHT if one.weight is None else one.weight,
                    confirmation_required=one.confirmation_required is not False,
                )
                for controller_id in controller_ids[start : start + most]
            ]
            assign(ctx, wanted, message=f"Auto assignment: {one.name}")
    except HawkbitError:
        return
