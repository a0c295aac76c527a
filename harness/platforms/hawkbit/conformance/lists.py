"""Lists of the Management API: pages, order, search (docs/contracts/hawkbit.md §1.2)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.conformance.expect import Mismatch, expect, expect_keys
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import (
    REPOSITORY,
    expect_bare,
    expect_document,
    expect_error,
)
from fleetrig.harness.platforms.hawkbit.conformance.api_client import tt
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import CACHE_WITHIN_S, admitted
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.under_test import Target
from fleetrig.harness.verdict import Finding

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "lists")

SORT_EXCEPTION: Final = "org.eclipse.hawkbit.mgmt.rest.resource.exception.SortParameter"
FEW: Final = 60
"""More than the 50 of a page when nobody says how many."""
MANY: Final = 501
"""More than fit on any page."""
SORT_MISTAKES: Final = {
    "foo:ASC": ("invalidField", "UnsupportedField", "The given sort parameter field does not exist"),
    "name:UP": ("invalidDirection", "UnsupportedDirection", "The given sort parameter direction does not exist"),
    "name": ("sortParamSyntax", "SyntaxError", "The given sort parameter is not well formed"),
}
"""`sort` -> error code, part of the exception's name, message."""
SEARCH_MISTAKES: Final = {
    "foo==1": ("rsqlInvalidField", "RSQLParameterUnsupportedFieldException"),
    "name==": ("rsqlParamSyntax", "RSQLParameterSyntaxException"),
    "name=li=x": ("rsqlParamSyntax", "RSQLParameterSyntaxException"),
}


def page(client: RowClient, query: str) -> dict[str, Any]:
    """A page of targets; its `size` is that of its content."""
    found: dict[str, Any] = expect_document(client.mgmt("GET", f"/targets?{query}"))
    expect_keys("the page", ["content", "total", "size"], found)
    expect(f"size of the page of {query}", len(found["content"]), found["size"])
    return found


def ids(found: dict[str, Any]) -> list[str]:
    return [target["controllerId"] for target in found["content"]]


def expect_page(client: RowClient, query: str, wanted: list[str], total: int) -> None:
    """Exactly these targets in this order, of so many that match."""
    found = page(client, query)
    expect(f"total of {query}", total, found["total"])
    if wanted != ids(found):
        shown = f"{len(wanted)} targets, {wanted[:1]} to {wanted[-1:]}"
        got = ids(found)
        raise Mismatch(Finding(f"content of {query}: {shown}", f"{len(got)} targets, {got[:1]} to {got[-1:]}"))


def crowd(client: RowClient, count: int) -> tuple[str, list[str]]:
    """So many new targets at once: the query that finds them, and their ids in their order."""
    prefix = client.name()
    names = [f"{prefix}-{number:03}" for number in range(count)]
    expect_document(client.create_targets([{"controllerId": name} for name in names]), 201)
    return f"q=controllerId=={prefix}-*", names


@ROWS.row("S22", "paging", "A page has 50 targets unless asked for 1 to 500; offset and limit are whole numbers")
def paging(client: RowClient) -> None:
    query, names = crowd(client, FEW)
    expect_page(client, query, names[:50], FEW)
    expect_page(client, f"limit=0&{query}", names[:50], FEW)
    expect_page(client, f"limit=-3&{query}", names[:50], FEW)
    expect_page(client, f"limit=600&{query}", names, FEW)
    expect_page(client, f"offset=-1&{query}", names[:50], FEW)
    expect_page(client, f"limit=5&offset=58&{query}", names[58:], FEW)
    expect_page(client, f"offset=100&{query}", [], FEW)
    for wrong in ("limit=x", "offset=x"):
        expect_error(client.mgmt("GET", f"/targets?{wrong}"), 400, "rest.body.notReadable")
    query, names = crowd(client, MANY)
    expect_page(client, f"limit=600&{query}", names[:500], MANY)


@ROWS.row("S23", "sorting", "Lists are sorted as asked, by controllerId otherwise; a wrong sort says what is wrong")
def sorting(client: RowClient) -> None:
    prefix = client.name()
    a, b, c = (f"{prefix}-{letter}" for letter in "abc")
    bodies = [{"controllerId": a, "name": "n2"}, {"controllerId": c, "name": "n1"}, {"controllerId": b, "name": "n3"}]
    expect_document(client.create_targets(bodies), 201)
    query = f"q=controllerId=={prefix}-*"
    expect_page(client, query, [a, b, c], 3)
    expect_page(client, f"sort=controllerId:DESC&{query}", [c, b, a], 3)
    expect_page(client, f"sort=CONTROLLERID:desc&{query}", [c, b, a], 3)
    expect_page(client, f"sort=name:ASC&{query}", [c, a, b], 3)
    for sort, (code, exception, message) in SORT_MISTAKES.items():
        expect_error(client.mgmt("GET", f"/targets?sort={sort}"), 400, f"rest.param.{code}", message=message,
                     exceptionClass=f"{SORT_EXCEPTION}{exception}Exception")  # fmt: skip


@ROWS.row("S24", "search", "A search finds by wildcard in any case; a wrong query says what is wrong")
def search(client: RowClient) -> None:
    one, other = client.name("Dev"), client.name("Dev")
    names = [client.target(name=one).controller_id, client.target(name=other).controller_id]
    client.target(name=client.name("Board"))
    query = f"{one.rstrip('0123456789')}*".lower()
    expect_page(client, f"q=name=={query}", names, 2)
    expect_page(client, f"q=name=={one}", names[:1], 1)
    expect_page(client, f"q=name=={query};name!={one}", names[1:], 1)
    for wrong, (code, exception) in SEARCH_MISTAKES.items():
        expect_error(client.mgmt("GET", f"/targets?q={wrong}"), 400, f"rest.param.{code}",
                     exceptionClass=f"{REPOSITORY}{exception}")  # fmt: skip


@ROWS.row("S25", "search-attributes", "A search by attribute and state finds exactly those targets")
def search_attributes(client: RowClient) -> None:
    client.settings.switch_target_tokens_on()
    run = client.name("run")
    wanted, silent, newer = client.target(), client.target(), client.target()
    admitted(client, wanted)
    for target, hardware in ((wanted, "2"), (silent, "2"), (newer, "3")):
        send(client, target, {"hw": hardware, "run": run})
    for target in (wanted, newer):
        expect_document(client.poll(target))
    query = f"q=attribute.hw==2;attribute.run=={run};updatestatus==registered"
    found = [wanted, silent] if client.generation.first_status == "registered" else [wanted]
    ids = [target.controller_id for target in found]
    client.until(CACHE_WITHIN_S, lambda: expect_page(client, query, ids, len(ids)))


def send(client: RowClient, target: Target, attributes: dict[str, str]) -> None:
    """The device tells its attributes."""
    answer = client.ddi("PUT", target.controller_id, "/configData", auth=tt(target), body={"data": attributes})
    expect_bare(answer)
