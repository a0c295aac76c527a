"""Searches for devices (docs/contracts/hono.md §1.2)."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import quote

from fleetrig.harness.conformance.expect import expect
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hono.conformance.registry_api import expect_error, expect_status
from fleetrig.harness.platforms.hono.conformance.row_client import RowClient

ROWS: Final[Resource[RowClient]] = Resource("hono", "search")
CURRENT: Final = ("current",)
BRANDS: Final = {"b-0": "eclipse", "b-1": "ecl", "b-2": "xecl"}


@ROWS.row("R35", "pages", "A page holds what was asked for, and the total; pageOffset counts pages (Hono with JDBC: "
          "devices)", needs=CURRENT)  # fmt: skip
def pages(client: RowClient) -> None:
    tenant = client.tenant()
    for number in range(3):
        client.device(tenant, {"ext": {"n": number}}, f"dev-{number}")
    ids = []
    for offset in (0, 1):
        found = client.asked("GET", f"/devices/{tenant}?pageSize=2&pageOffset={offset}").json()
        expect("total", 3, found["total"])
        ids.append([one["id"] for one in found["result"]])
    expect("results of the first page", 2, len(ids[0]))
    client.expect_known(
        "results of pageSize=2, pageOffset=1", len(ids[1]), lambda one: 1 if one.pages_are_counted else 2
    )
    expect("the devices of both", {f"dev-{number}" for number in range(3)}, {one for page in ids for one in page})


@ROWS.row("R36", "numbers", "Sizes and offsets out of range, and what is no number, are 400 (a size of 0: Hono 500)",
          needs=CURRENT)  # fmt: skip
def numbers(client: RowClient) -> None:
    tenant = client.tenant()
    client.device(tenant)
    for query in ("pageSize=201", "pageSize=-1", "pageSize=x", "pageOffset=-1"):
        expect_error(client.api("GET", f"/devices/{tenant}?{query}"), 400)
    empty = client.api("GET", f"/devices/{tenant}?pageSize=0")
    client.expect_status_known(empty, lambda one: one.status_of_wrong_kind)


@ROWS.row("R37", "nothing", "A search that finds nothing is 404", needs=CURRENT)
def nothing(client: RowClient) -> None:
    tenant = client.tenant()
    expect_error(client.api("GET", f"/devices/{tenant}"), 404)
    client.device(tenant)
    expect_status(client.api("GET", f"/devices/{tenant}"), 200)
    expect_error(client.api("GET", f"/devices/{tenant}?{filtered('/ext/brand', 'zzz')}"), 404)


@ROWS.row("R38", "filters", "A filter means the whole value, with * for any letters and ? for one (Hono with JDBC on "
          "H2: nothing is ever found)", needs=CURRENT)  # fmt: skip
def filters(client: RowClient) -> None:
    tenant = client.tenant()
    for device, brand in BRANDS.items():
        client.device(tenant, {"ext": {"brand": brand}}, device)
    wanted = {
        filtered("/ext/brand", "ecl"): ["b-1"],
        filtered("/ext/brand", "ecl*"): ["b-0", "b-1"],
        filtered("/ext/brand", "?ecl"): ["b-2"],
        filtered("/id", "b-1"): ["b-1"],
        f"{filtered('/ext/brand', 'ecl*')}&{filtered('/ext/brand', '*ipse')}": ["b-0"],
    }
    found = {query: found_by(client, tenant, query) for query in wanted}
    client.expect_known("anything found by filters", any(found.values()), lambda one: one.matches_filters)
    if any(found.values()):
        expect("devices found by each filter", wanted, found)
    expect_sorted(client, tenant)


def expect_sorted(client: RowClient, tenant: str) -> None:
    """By brand, downwards."""
    downwards = "sortJson=" + quote(json.dumps({"field": "/ext/brand", "direction": "desc"}))
    found = [one["id"] for one in client.asked("GET", f"/devices/{tenant}?{downwards}").json()["result"]]
    expect("the devices that are sorted", sorted(BRANDS), sorted(found))
    by_brand = sorted(BRANDS, key=lambda device: BRANDS[device], reverse=True)
    client.expect_known("sorted by brand, downwards", found == by_brand, lambda one: one.sorts)


def found_by(client: RowClient, tenant: str, query: str) -> list[str]:
    """The ids."""
    answer = client.api("GET", f"/devices/{tenant}?{query}")
    expect_status(answer, 200, 404)
    return sorted(one["id"] for one in answer.json()["result"]) if answer.status == 200 else []


def filtered(field: str, value: Any) -> str:
    """One filterJson."""
    return "filterJson=" + quote(json.dumps({"field": field, "value": value}))
