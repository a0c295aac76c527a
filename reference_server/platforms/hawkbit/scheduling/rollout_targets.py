"""Which targets a rollout is for, and how its groups share them (`RolloutHelper.java`)."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from fleetrig.reference_server.platforms.hawkbit.scheduling.auto_assigner import matcher, takes
from fleetrig.reference_server.platforms.hawkbit.search.target_fields import Look
from fleetrig.reference_server.platforms.hawkbit.state import software
from fleetrig.reference_server.platforms.hawkbit.state.action_records import ACTION, Status
from fleetrig.reference_server.platforms.hawkbit.state.context import Context
from fleetrig.reference_server.platforms.hawkbit.state.records import TARGET, Target


class Share(Protocol):
    """A group, or one that is to be made."""

    @property
    def query(self) -> str: ...
    @property
    def percentage(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Audience:
    """All targets a rollout may be for, in order of their creation."""

    ctx: Context
    targets: list[Target]

    def of(self, query: str) -> list[Target]:
        """Those of a group with this query; "" is everybody."""
        if not query:
            return self.targets
        match, look = matcher(self.ctx, query), Look(self.ctx.repo, self.ctx.tenant)
        return [target for target in self.targets if match(target, look)]


def audience(
    ctx: Context, query: str, set_id: int, *, created_until_ms: int | None = None, retry_of: int | None = None
) -> Audience:
    """Matching targets of a type that takes the set; for a retry those that failed in that rollout."""
    set_type_id = software.need_set(ctx, set_id).type_id
    if retry_of is not None:
        found = _failed_in(ctx, retry_of)
    else:
        match, look = matcher(ctx, query), Look(ctx.repo, ctx.tenant)
        found = [
            target
            for target in ctx.repo.store.scan(TARGET, ctx.tenant)
            if (created_until_ms is None or target.created_at_ms <= created_until_ms) and match(target, look)
        ]
    found = [target for target in found if takes(ctx, target, set_type_id)]
    return Audience(ctx, sorted(found, key=lambda target: target.id))


def _failed_in(ctx: Context, rollout_id: int) -> list[Target]:
    actions = ctx.repo.store.find(ACTION, ctx.tenant, "rollout", rollout_id)
    names = dict.fromkeys(action.controller_id for action in actions if action.status == Status.ERROR)
    found = (ctx.repo.target(ctx.tenant, name) for name in names)
    return [target for target in found if target is not None]


def percent_of_rest(groups: Sequence[Share], at: int) -> float:
    """A group's share of the targets that the groups before it with the same query left over."""
    left = 100.0
    for before in groups[:at]:
        if before.query == groups[at].query:
            left -= before.percentage
    return 100.0 if left <= 1 else min(100.0, groups[at].percentage * 100 / left)


def planned_counts(everybody: Audience, groups: Sequence[Share]) -> list[int]:
    """How many targets each group would get, as the real server counts before there are any groups."""
    counts, unused = [], 0
    for at, group in enumerate(groups):
        own = everybody.of(group.query)
        overlapping = _overlap(everybody, groups[:at], group, own)
        real = len(own) - overlapping
        if overlapping > 0 and unused > 0:
            real += unused
            unused = 0
        count = java_round(percent_of_rest(groups, at) / 100 * real)
        counts.append(count)
        unused += real - count
    return counts


def _overlap(everybody: Audience, before: Sequence[Share], group: Share, own: list[Target]) -> int:
    """How many of a group's targets are in the queries of groups before it."""
    if not before:
        return 0
    queries = {other.query for other in before}
    if "" in queries or group.query in queries:
        return len(own)
    taken = {target.controller_id for query in queries for target in everybody.of(query)}
    return sum(target.controller_id in taken for target in own)


def java_round(number: float) -> int:
    """Halves go up."""
    return math.floor(number + 0.5)


def java_float(number: float) -> float:
    """The nearest 32-bit number, as the shortest decimal that means it."""
    try:
        single: float = struct.unpack("f", struct.pack("f", number))[0]
    except OverflowError:
        return math.copysign(math.inf, number)
    for digits in range(1, 10):
        shown = float(f"{single:.{digits}g}")
        if struct.pack("f", shown) == struct.pack("f", single):
            return shown
    return single
