"""Which polling interval a target gets: the first override whose query it matches, else its tenant's (§2.2)."""

from __future__ import annotations

from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.search.rsql_match import compiled
from fleetrig.reference_server.platforms.hawkbit.search.target_fields import TARGET_FIELDS, Look
from fleetrig.reference_server.platforms.hawkbit.state.errors import HawkbitError
from fleetrig.reference_server.platforms.hawkbit.state.polling import Interval
from fleetrig.reference_server.platforms.hawkbit.state.records import Target


def interval_for(call: Call, target: Target) -> Interval:
    polling = call.config.polling
    if polling.overrides:
        look = Look(call.repo, call.tenant)
        for query, interval in polling.overrides:
            if _matches(query, target, look):
                return interval
    return polling.default


def _matches(query: str, target: Target, look: Look) -> bool:
    """A query that cannot be evaluated is skipped; unknown fields never get here, they are refused at the PUT."""
    try:
        return compiled(query, TARGET_FIELDS, in_memory=True)(target, look)
    except HawkbitError:
        return False
