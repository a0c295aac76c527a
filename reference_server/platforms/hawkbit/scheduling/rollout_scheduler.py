"""When rollouts take their next step. The real server looks every two seconds; here a round falls due only when there
is something to do: a rollout on its way, a start that was set, something that happened to an action of a rollout.
"""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.hawkbit.scheduling.rollout_steps import step
from fleetrig.reference_server.platforms.hawkbit.scheduling.rollout_store import groups_of
from fleetrig.reference_server.platforms.hawkbit.state.context import Scheduled
from fleetrig.reference_server.platforms.hawkbit.state.errors import HawkbitError
from fleetrig.reference_server.platforms.hawkbit.state.repository import Repository
from fleetrig.reference_server.platforms.hawkbit.state.rollout_records import ROLLOUT, Rollout, RolloutStatus
from fleetrig.reference_server.platforms.hawkbit.state.software import SYSTEM
from fleetrig.simulator.contract.clock import US_PER_MS, to_us

ON_ITS_WAY: Final = frozenset(
    {RolloutStatus.CREATING, RolloutStatus.STARTING, RolloutStatus.STOPPING, RolloutStatus.DELETING}
)


class RolloutScheduler:
    """`note` after every request, `run` when `due_us` has come."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._every_us = to_us(repo.settings.rollout_every_s)
        self.due_us: int | None = 0 if repo.store.tenants(ROLLOUT) else None

    def note(self, tenant: str, now_us: int, *, by_operator: bool) -> None:
        """A request was handled: by an operator who may have changed anything, or by a device."""
        if not by_operator and tenant not in self._repo.moved_rollouts:
            return
        self._repo.moved_rollouts.discard(tenant)
        next_us = self._after(now_us)
        if (self.due_us is None or self.due_us > next_us) and self._repo.store.count(ROLLOUT, tenant, "active", "yes"):
            self.due_us = next_us

    def run(self, now_us: int) -> None:
        """One round: one step for every active rollout of every tenant."""
        dues_us = []
        for tenant in self._repo.store.tenants(ROLLOUT):
            for rollout in self._repo.store.find(ROLLOUT, tenant, "active", "yes"):
                ctx = Scheduled(self._repo, tenant, SYSTEM, now_us)
                due_us = self._step(ctx, rollout)
                if due_us is not None:
                    dues_us.append(max(due_us, self._after(now_us)))
            self._repo.moved_rollouts.discard(tenant)
        self.due_us = min(dues_us, default=None)

    def _after(self, now_us: int) -> int:
        return (now_us // self._every_us + 1) * self._every_us

    def _step(self, ctx: Scheduled, rollout: Rollout) -> int | None:
        """When the rollout wants its next step, as far as that depends on time alone."""
        before = (rollout, groups_of(ctx, rollout.id))
        try:
            step(ctx, rollout, may_approve=self._may_approve(rollout.created_by))
        except HawkbitError:  # as on the real server: tried again in the next round
            return ctx.now_us
        after = ctx.repo.store.get(ROLLOUT, ctx.tenant, rollout.id)
        if after is None:
            return None
        if after.status in ON_ITS_WAY or (after, groups_of(ctx, after.id)) != before:
            return ctx.now_us
        if after.status == RolloutStatus.READY and after.start_at_ms is not None:
            return after.start_at_ms * US_PER_MS
        if after.status == RolloutStatus.RUNNING and after.dynamic:
            return after.filled_at_ms * US_PER_MS + to_us(ctx.repo.settings.dynamic_fill_every_s)
        return None

    def _may_approve(self, user: str) -> bool:
        """Only who was given the right by name; a role does not do (`DefaultRolloutApprovalStrategy.java`)."""
        accounts = self._repo.settings.accounts
        return any(account.user == user and "APPROVE_ROLLOUT" in account.rights for account in accounts)
