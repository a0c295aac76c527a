"""What is assigned by itself (§1.5): the set of an automatic assignment goes to every matching target that
never had it.

The real server looks at all targets every two seconds. Here a round looks only at targets that were written since the
last one, and at all of them after an operator changed anything or while a query depends on the time. A round falls
due only when there is something to look at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from fleetrig.reference_server.platforms.hawkbit.search.listing import with_moments
from fleetrig.reference_server.platforms.hawkbit.search.rsql_match import Match, compiled
from fleetrig.reference_server.platforms.hawkbit.search.target_fields import TARGET_FIELDS, Look
from fleetrig.reference_server.platforms.hawkbit.state import software
from fleetrig.reference_server.platforms.hawkbit.state.action_records import ACTION, joined
from fleetrig.reference_server.platforms.hawkbit.state.assignment import Assignment, assign
from fleetrig.reference_server.platforms.hawkbit.state.auto_assignment_records import (
    AUTO_ASSIGNMENT,
    AutoAssignment,
    AutoAssignStatus,
)
from fleetrig.reference_server.platforms.hawkbit.state.context import Context, Scheduled
from fleetrig.reference_server.platforms.hawkbit.state.errors import HawkbitError
from fleetrig.reference_server.platforms.hawkbit.state.records import TARGET, TARGET_TYPE, Target
from fleetrig.reference_server.platforms.hawkbit.state.repository import Repository
from fleetrig.reference_server.platforms.hawkbit.state.software import SYSTEM
from fleetrig.simulator.contract.clock import US_PER_MS, to_us

TIMED: Final = ("${", "lastcontrollerrequestat")
"""What makes a query depend on the time: no write announces that its answer changed."""


class AutoAssigner:
    """The scheduler of one platform. `note` after every request, `run` when `due_us` has come."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._every_us = to_us(repo.settings.auto_assign_every_s)
        self._stale_tenants: set[str] = set(repo.store.tenants(AUTO_ASSIGNMENT))
        self.due_us: int | None = 0 if self._stale_tenants else None

    def note(self, tenant: str, now_us: int, *, by_operator: bool) -> None:
        """A request was handled. Operators' writes make every target of their tenant worth a look."""
        if by_operator:
            self._stale_tenants.add(tenant)
        elif tenant not in self._repo.written_targets:
            return
        next_us = self._after(now_us)
        if self.due_us is None or self.due_us > next_us:
            if self._repo.store.count(AUTO_ASSIGNMENT, tenant):
                self.due_us = next_us
            else:
                self._forget(tenant)

    def run(self, now_us: int) -> None:
        """One round. What it assigns is looked at again in the next: another query may match only then."""
        written, self._repo.written_targets = self._repo.written_targets, {}
        stale, self._stale_tenants = self._stale_tenants, set()
        timed, later_us = False, []
        for tenant in self._repo.store.tenants(AUTO_ASSIGNMENT):
            for one in _in_order(self._repo, tenant):
                if one.start_at_ms is not None and one.status == AutoAssignStatus.READY:
                    start_us = one.start_at_ms * US_PER_MS
                    if start_us > now_us:
                        later_us.append(start_us)
                        self._stale_tenants.add(tenant)
                        continue
                is_timed = any(word in one.query.lower() for word in TIMED)
                timed = timed or is_timed
                only = None if is_timed or tenant in stale else written.get(tenant, set())
                _run_one(Scheduled(self._repo, tenant, one.created_by, now_us), one, self._candidates(tenant, only))
        again = timed or bool(self._repo.written_targets)
        dues = [max(start_us, self._after(now_us)) for start_us in later_us]
        self.due_us = min([*dues, *([self._after(now_us)] if again else [])], default=None)

    def _after(self, now_us: int) -> int:
        """The next round."""
        return (now_us // self._every_us + 1) * self._every_us

    def _candidates(self, tenant: str, only: set[str] | None) -> Iterable[Target]:
        """All targets of a tenant, or only these."""
        if only is None:
            return list(self._repo.store.scan(TARGET, tenant))
        found = (self._repo.target(tenant, controller_id) for controller_id in sorted(only))
        return [target for target in found if target is not None]

    def _forget(self, tenant: str) -> None:
        self._stale_tenants.discard(tenant)
        self._repo.written_targets.pop(tenant, None)


def _run_one(ctx: Scheduled, one: AutoAssignment, candidates: Iterable[Target]) -> None:
    if one.status == AutoAssignStatus.READY:
        running = replace(one, status=AutoAssignStatus.RUNNING.value, modified_by=SYSTEM, modified_at_ms=ctx.now_ms)
        ctx.repo.store.put(AUTO_ASSIGNMENT, ctx.tenant, running)
    wanted = [target.controller_id for target in candidates if wants(ctx, one.set_id, one.query, target)]
    if wanted:
        _assign(ctx, one, wanted)


def wants(ctx: Context, set_id: int, query: str, target: Target) -> bool:
    """True when a set is new to a matching target of a type that takes it."""
    if not matcher(ctx, query)(target, Look(ctx.repo, ctx.tenant)):
        return False
    if ctx.repo.store.count(ACTION, ctx.tenant, "set_target", joined(set_id, target.controller_id)):
        return False
    return takes(ctx, target, software.need_set(ctx, set_id).type_id)


def takes(ctx: Context, target: Target, set_type_id: int) -> bool:
    """A target without a type takes every set."""
    if target.type_id is None:
        return True
    kind = ctx.repo.store.get(TARGET_TYPE, ctx.tenant, target.type_id)
    return kind is None or set_type_id in kind.set_type_ids


def matcher(ctx: Context, query: str) -> Match:
    """A query as a function of (target, look)."""
    return compiled(with_moments(ctx, query), TARGET_FIELDS)


def _in_order(repo: Repository, tenant: str) -> list[AutoAssignment]:
    """By id, or the heaviest first."""
    found = repo.store.find(AUTO_ASSIGNMENT, tenant, "active", "yes")
    if not repo.traits.heaviest_assigns_first:
        return found
    return sorted(found, key=lambda one: (-one.weight, one.id))


def _assign(ctx: Scheduled, one: AutoAssignment, controller_ids: list[str]) -> None:
    """A set that became invalid or incomplete meanwhile is assigned to nobody."""
    most = ctx.repo.settings.quotas.assignments_per_request
    try:
        for start in range(0, len(controller_ids), most):
            wanted = [
                Assignment(
                    controller_id,
                    one.set_id,
                    one.action_type,
                    weight=one.weight,
                    confirmation_required=one.confirmation_required,
                )
                for controller_id in controller_ids[start : start + most]
            ]
            assign(ctx, wanted, message=f"Auto assignment: {one.name}")
    except HawkbitError:
        return
