"""The seam between provisioning and deployment: what a target has to do now, and what its deletion takes along.

Provisioning asks, the deployment half of this folder answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reference_server.platforms.hawkbit.call import Call
from reference_server.platforms.hawkbit.records import Target
from reference_server.platforms.hawkbit.repository import Repository


@dataclass(frozen=True, slots=True)
class Pending:
    """What a poll shows of a target's work (§2.1)."""

    links: Mapping[str, Any] = field(default_factory=dict)
    """`confirmationBase`, `cancelAction` or `deploymentBase` (at most one of them), then `installedBase`."""
    window_starts_at_ms: int | None = None
    """Start of the current action's maintenance window, if it lies in the future: the device polls more often then."""


NOTHING = Pending()


def pending_work(call: Call, target: Target) -> Pending:
    """What the target has to do now. A lapsed window cancels its action here, as on the real server."""
    return NOTHING


def target_deleted(repo: Repository, tenant: str, target: Target) -> None:
    """Removes the actions of a target that is being deleted, and their history."""


def auto_confirm_activated(call: Call, target: Target) -> None:
    """Confirms the actions of a target that wait for it."""


def tenant_opened(repo: Repository, tenant: str, now_ms: int) -> int | None:
    """Gives a new tenant its module types and set types; the id of the default set type (§1.4)."""
    return None


def set_type_documents(call: Call, set_type_ids: Iterable[int]) -> list[dict[str, Any]]:
    """Those of these distribution set types that exist, as Mgmt shows them in lists."""
    return []


def set_label(repo: Repository, tenant: str, set_id: int) -> tuple[str, str] | None:
    """(name, version) of a distribution set, for queries like `assignedDS.name==x`."""
    return None
