"""Deletes old actions once a day, where a tenant asks for it (`action.cleanup.auto.*`; `AutoActionCleanup.java`)."""

from __future__ import annotations

from fleetrig.reference_server.platforms.hawkbit.state import deployments
from fleetrig.reference_server.platforms.hawkbit.state.action_records import ACTION, Status
from fleetrig.reference_server.platforms.hawkbit.state.repository import Repository
from fleetrig.simulator.contract.clock import US_PER_MS, to_us


class ActionCleanup:
    """`note` after every request, `run` when `due_us` has come."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._every_us = to_us(repo.settings.action_cleanup_every_s)
        self._known: set[str] = set()
        self.due_us: int | None = None

    def note(self, tenant: str, now_us: int, *, by_operator: bool) -> None:
        """A request was handled. Only operators change whether there is anything to delete."""
        if not by_operator and tenant in self._known:
            return
        self._known.add(tenant)
        if self.due_us is None and self._expiry_ms(tenant) >= 0:
            self.due_us = now_us + self._every_us

    def run(self, now_us: int) -> None:
        tenants = [tenant for tenant in self._repo.store.tenants(ACTION) if self._expiry_ms(tenant) >= 0]
        for tenant in tenants:
            self._clean(tenant, now_us // US_PER_MS - self._expiry_ms(tenant))
        self.due_us = now_us + self._every_us if tenants else None
        self._known.clear()

    def _clean(self, tenant: str, before_ms: int) -> None:
        words = self._statuses(tenant)
        for action in list(self._repo.store.scan(ACTION, tenant)):
            if action.status in words and action.modified_at_ms < before_ms:
                deployments.remove(self._repo, tenant, action)

    def _expiry_ms(self, tenant: str) -> int:
        return int(self._repo.config(tenant).values["action.cleanup.auto.expiry"])

    def _statuses(self, tenant: str) -> set[Status]:
        """Nothing at all when one word is none: the real server's task fails then."""
        words = str(self._repo.config(tenant).values["action.cleanup.auto.status"]).split(",")
        try:
            return {Status[word.strip()] for word in words}
        except KeyError:
            return set()
