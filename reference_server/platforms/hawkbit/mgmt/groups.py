"""Target groups: a name that targets carry, with `/` between group and subgroup (§1.5; from 1.0 on)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fleetrig.reference_server.platforms.hawkbit.mgmt.target_documents import ALL_TARGETS, target_page
from fleetrig.reference_server.platforms.hawkbit.mgmt.target_requests import GREATEST_GROUP
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.fields import as_texts_or_null
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply, Steps
from fleetrig.reference_server.platforms.hawkbit.search.listing import with_moments
from fleetrig.reference_server.platforms.hawkbit.search.rsql_match import compiled
from fleetrig.reference_server.platforms.hawkbit.search.target_fields import TARGET_FIELDS, Look
from fleetrig.reference_server.platforms.hawkbit.state.errors import crash, violations
from fleetrig.reference_server.platforms.hawkbit.state.records import TARGET, Target


def read_groups(call: Call) -> Reply:
    """The names that are in use, sorted."""
    return Reply(body=call.repo.store.values(TARGET, call.tenant, "group"))


def read_members(call: Call, group: str) -> Reply | Steps:
    return _members(call, group, with_subgroups=False)


def read_members_of_group(call: Call) -> Reply | Steps:
    """`?group=G[&subgroups=true]`: a name that cannot stand in a path, with everything below it if asked."""
    group, with_subgroups = call.query["group"], call.boolean("subgroups")
    if not group:
        raise violations(["findTargetsByGroup.group must not be empty."])
    return _members(call, group, with_subgroups=with_subgroups)


def _members(call: Call, group: str, *, with_subgroups: bool) -> Reply | Steps:
    """Groups compare without case; `q` is not known here."""
    wanted = group.lower()

    def fits(target: Target) -> bool:
        name = None if target.group is None else target.group.lower()
        return name is not None and (name == wanted or (with_subgroups and name.startswith(wanted + "/")))

    return target_page(call, replace(ALL_TARGETS, fits=fits), searched=False)


def assign_members(call: Call, group: str) -> Reply:
    """A body of controllerIds; unknown ones are ignored, as the server's batch update does."""
    return _assign(call, group, _named(call))


def assign_members_of_group(call: Call) -> Reply:
    return _assign(call, call.query["group"], _named(call))


def unassign_members(call: Call) -> Reply:
    return _assign(call, None, _named(call))


def assign_matching(call: Call, group: str) -> Reply:
    return _assign(call, group, _matching(call, call.query["q"]))


def assign_matching_to_group(call: Call) -> Reply:
    return _assign(call, call.query["group"], _matching(call, call.query["q"]))


def unassign_matching(call: Call) -> Reply:
    if "q" not in call.query:
        raise violations(["assignTargetGroupWithRsql.rsql must not be null."])
    return _assign(call, None, _matching(call, call.query["q"]))


def _assign(call: Call, group: str | None, targets: Iterable[Target]) -> Reply:
    """What a group may be called is not checked here, other than at a target's creation. Raises 500 for too long."""
    if group is not None and len(group) > GREATEST_GROUP:
        raise crash(f"group: at most {GREATEST_GROUP} characters")
    for target in list(targets):
        call.repo.save(call.tenant, replace(target, group=group))
    return Reply(204, changed="target group changed")


def _named(call: Call) -> list[Target]:
    names = as_texts_or_null(call.array, "controllerIds") if call.has_body else []
    if not names:
        raise violations(["assignTargetsWithGroup.controllerIds must not be empty."])
    found = (call.repo.target(call.tenant, name) for name in names if name is not None)
    return [target for target in found if target is not None]


def _matching(call: Call, query: str) -> list[Target]:
    match = compiled(with_moments(call, query), TARGET_FIELDS)
    look = Look(call.repo, call.tenant)
    return [target for target in call.repo.store.scan(TARGET, call.tenant) if match(target, look)]
