"""Every field of every list, sorted by and compared in every way: answered or refused, but never a 5xx (§1.2)."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from fleetrig.reference_server.platforms.hawkbit.mgmt import auto_assignment_api, filters, rollout_lists, tags
from fleetrig.reference_server.platforms.hawkbit.mgmt.target_types import TYPE_FIELDS
from fleetrig.reference_server.platforms.hawkbit.search.action_fields import ACTION_FIELDS, STATUS_FIELDS
from fleetrig.reference_server.platforms.hawkbit.search.rsql import OPERATORS
from fleetrig.reference_server.platforms.hawkbit.search.rsql_fields import Field, Fields
from fleetrig.reference_server.platforms.hawkbit.search.software_fields import (
    MODULE_FIELDS,
    MODULE_TYPE_FIELDS,
    SET_FIELDS,
    SET_TAG_FIELDS,
    SET_TYPE_FIELDS,
)
from fleetrig.reference_server.platforms.hawkbit.search.target_fields import TARGET_FIELDS
from tests.reference_server.platforms.hawkbit.deployment_bench import CLOSED, Bench

pytestmark = pytest.mark.slow

LISTS: dict[str, Fields] = {
    "/targets": TARGET_FIELDS,
    "/targettags": tags.TAG_FIELDS,
    "/targettags/1/assigned": TARGET_FIELDS,
    "/targettypes": TYPE_FIELDS,
    "/targetfilters": filters.FILTER_FIELDS,
    "/targetgroups/assigned?group=line&": TARGET_FIELDS,
    "/autoassignments": auto_assignment_api.FIELDS,
    "/softwaremodules": MODULE_FIELDS,
    "/softwaremoduletypes": MODULE_TYPE_FIELDS,
    "/distributionsets": SET_FIELDS,
    "/distributionsets/1/assignedSM": MODULE_FIELDS,
    "/distributionsets/1/assignedTargets": TARGET_FIELDS,
    "/distributionsets/1/installedTargets": TARGET_FIELDS,
    "/distributionsets/1/autoAssignTargetFilters": filters.FILTER_FIELDS,
    "/distributionsets/1/autoAssignments": auto_assignment_api.FIELDS,
    "/distributionsettypes": SET_TYPE_FIELDS,
    "/distributionsettags": SET_TAG_FIELDS,
    "/distributionsettags/1/assigned": SET_FIELDS,
    "/actions": ACTION_FIELDS,
    "/targets/dev/actions": ACTION_FIELDS,
    "/targets/dev/actions/1/status": STATUS_FIELDS,
    "/rollouts": rollout_lists.ROLLOUT_FIELDS,
    "/rollouts/1/deploygroups": rollout_lists.GROUP_FIELDS,
    "/rollouts/1/deploygroups/1/targets": TARGET_FIELDS,
}
VALUES = ("1", "x*", "true", "null", "''", "*", "os")


@pytest.fixture(scope="module")
def bench() -> Bench:
    """A tenant that has something in every list; two of those that can differ in what is null."""
    bench = Bench()
    bench.deployed()
    bench.report(1, CLOSED)
    bench.target("other")
    made = [
        ("/targettags", [{"name": "red", "colour": "red"}]), ("/targettags/1/assigned", ["dev", "other"]),
        ("/targettypes", [{"name": "gateway", "key": "gateway"}]), ("/targets/dev/targettype", {"id": 1}),
        ("/targets/dev/metadata", [{"key": "line", "value": "7"}]), ("/targets/dev/autoConfirm/activate", {}),
        ("/distributionsets/1/metadata", [{"key": "line", "value": "7"}]),
        ("/softwaremodules/1/metadata", [{"key": "line", "value": "7"}]),
        ("/distributionsettags", [{"name": "beta"}]), ("/distributionsettags/1/assigned", [1, bench.set_of(name="b")]),
        ("/targetfilters", {"name": "f", "query": "id==nobody"}), ("/targetfilters/1/autoAssignDS", {"id": 1}),
        ("/rollouts", {"name": "r", "distributionSetId": 1, "targetFilterQuery": "id==*", "amountGroups": 1}),
    ]  # fmt: skip
    for path, body in made:
        assert bench.mgmt("POST", path, body).status < 300, path
    assert bench.mgmt("PUT", "/targetgroups/line/assigned", ["dev"]).status == 204
    assert bench.device("PUT", "/configData", {"data": {"hw": "2"}}).status == 200
    bench.wait(10)
    assert bench.mgmt("POST", "/rollouts/1/start").status == 204
    bench.wait(10)
    return bench


def names(fields: Fields) -> Iterator[str]:
    """Every name that the real server knows: alone, with its parts, and with a key where it holds a mapping."""
    known: dict[str, Field | None] = {**dict.fromkeys(fields.parts), **fields.fields}
    for name, field in known.items():
        yield f"{name}.line" if field is not None and field.by_key else name


def queries(fields: Fields) -> Iterator[str]:
    for name in names(fields):
        for operator in OPERATORS:
            yield from (f"{name}{operator}{value}" for value in VALUES)
        yield f"{name}=in=(1,x)"
        yield f"{name}=out=(1,true)"


@pytest.mark.parametrize("path", LISTS)
def test_every_list_sorts_by_each_of_its_fields(bench: Bench, path: str) -> None:
    start = path if path.endswith("&") else f"{path}?"
    answers = {
        name: bench.mgmt("GET", f"{start}sort={name}:{order}").status
        for name in LISTS[path].parts
        for order in ("ASC", "DESC")
    }
    assert {name: status for name, status in answers.items() if status not in {200, 400}} == {}
    assert 200 in answers.values()


@pytest.mark.parametrize("path", LISTS)
def test_no_comparison_breaks_the_server(bench: Bench, path: str) -> None:
    start = path if path.endswith("&") else f"{path}?"
    answers = {query: bench.mgmt("GET", f"{start}q={quote(query)}").status for query in queries(LISTS[path])}
    assert {query: status for query, status in answers.items() if status not in {200, 400}} == {}
    assert 200 in answers.values()


@pytest.mark.parametrize(("sort", "expected"), [("distributionSet:ASC", 400), ("colour:ASC", 200)])
def test_tags_of_sets_are_not_sorted_by_their_sets(bench: Bench, sort: str, expected: int) -> None:
    assert bench.mgmt("GET", f"/distributionsettags?sort={sort}").status == expected
