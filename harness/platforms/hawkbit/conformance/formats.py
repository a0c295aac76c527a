"""The forms in which documents and errors come, by `Accept` (docs/contracts/hawkbit.md §0)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import expect, expect_keys, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import (
    CODE,
    expect_bare,
    expect_document,
    expect_framework,
    expect_link,
    expect_type,
)
from fleetrig.harness.platforms.hawkbit.conformance.api_client import JSON
from fleetrig.harness.platforms.hawkbit.conformance.device_helpers import (
    CBOR,
    HAL,
    NOT_READABLE,
    SLEEP,
    config_data,
    device,
    expect_cbor,
    expect_poll,
    put_attributes,
)
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.under_test import Target
from fleetrig.harness.platforms.hawkbit.settings import POLLING_TIME

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "formats")


@ROWS.row("S126", "links-and-errors", "Links are _links in JSON, an array in CBOR; errors come in the type asked for")
def links_and_errors(client: RowClient) -> None:
    target = device(client)
    expect_poll_forms(client, target)
    expect_config_links(client)
    expect_mgmt_types(client, target)
    expect_mgmt_errors(client)
    expect_device_errors(client, target)


def expect_poll_forms(client: RowClient, target: Target) -> None:
    links = config_data(client, target.controller_id)
    for accept in (JSON, HAL):
        answer = client.poll(target, headers={"Accept": accept})
        expect_poll(expect_document(answer), SLEEP, links)
        expect_type(answer, accept)
    document: Any = expect_cbor(client.poll(target, headers={"Accept": CBOR}))
    expect_keys("the poll in CBOR", ["config", "links"], document)
    expect("config in CBOR", {"polling": {"sleep": SLEEP}}, document["config"])
    expect_array("links in CBOR", document["links"], links)


def expect_array(what: str, links: object, paths: dict[str, str]) -> None:
    """`[{"rel", "href"}]` with these links and no other."""
    expect_that(isinstance(links, list), f"{what}: an array", links)
    assert isinstance(links, list)
    expect(f"rels of {what}", sorted(paths), sorted(link.get("rel", "") for link in links))
    for link in links:
        expect_keys(f"a link of {what}", ["rel", "href"], link)
        expect_link(f"{what}: {link['rel']}", link["href"], paths[link["rel"]])


def expect_config_links(client: RowClient) -> None:
    """The list of all keys has arrays, one key alone has `_links`."""
    every = expect_document(client.mgmt("GET", "/system/configs"))
    expect_that(POLLING_TIME in every, f"GET /system/configs has {POLLING_TIME}", sorted(every))
    for key, entry in every.items():
        expect_that("_links" not in entry, f"no _links of {key} in the list", sorted(entry))
        expect_that(isinstance(entry.get("links"), list), f"links of {key}: an array", entry.get("links"))
    expect_array("links of one key", every[POLLING_TIME]["links"], {"self": f"/rest/v1/system/configs/{POLLING_TIME}"})
    one = expect_document(client.mgmt("GET", f"/system/configs/{POLLING_TIME}"))
    expect_keys("_links of one key", ["self"], one.get("_links", {}))


def expect_mgmt_types(client: RowClient, target: Target) -> None:
    """The Management API has no CBOR, and nothing else."""
    path = f"/targets/{target.controller_id}"
    for accept in (JSON, HAL):
        answer = client.mgmt("GET", path, headers={"Accept": accept})
        expect("controllerId", target.controller_id, expect_document(answer)["controllerId"])
        expect_type(answer, accept)
    expect("status for CBOR", 406, client.mgmt("GET", path, headers={"Accept": CBOR}).status)
    expect_bare(client.mgmt("GET", path, headers={"Accept": "application/xml"}), 406)


def expect_mgmt_errors(client: RowClient) -> None:
    path = f"/targets/{client.name('nobody')}"
    for accept in (HAL, JSON, None):
        answer = client.mgmt("GET", path, headers={} if accept is None else {"Accept": accept})
        expect(f"status of {answer.request}", 404, answer.status)
        expect_type(answer, accept or JSON)
        expect_code(answer.json(), "repo.entityNotFound", answer)
    expect_bare(client.mgmt("GET", path, headers={"Accept": "application/xml"}), 406)


def expect_device_errors(client: RowClient, target: Target) -> None:
    for accept in (HAL, JSON, None):
        headers = {} if accept is None else {"Accept": accept}
        answer = put_attributes(client, target, {"data": {}}, headers=headers)
        expect(f"status of {answer.request}", 400, answer.status)
        expect_type(answer, accept or JSON)
        expect_code(answer.json(), NOT_READABLE, answer)
    answer = put_attributes(client, target, {"data": {}}, headers={"Accept": CBOR})
    expect_code(expect_cbor(answer, 400), NOT_READABLE, answer)


def expect_code(body: dict[str, Any], code: str, answer: Answer) -> None:
    expect(f"errorCode of {answer.request}", CODE + code, body.get("errorCode"))


@ROWS.row("S186", "browsers", "Whom the framework takes for a browser gets a page of a refusal, a downloader nothing")
def browsers(client: RowClient) -> None:
    no_path = "/no-such-path"
    page = client.mgmt("GET", no_path, headers={"Accept": "text/html,application/xhtml+xml"})
    expect(f"status of {page.request}", 404, page.status)
    expect_type(page, "text/html")
    expect_that("<h1>" in page.text and "404" in page.text, "a page that says 404", page.text)
    expect_bare(client.mgmt("GET", no_path, headers={"Accept": "application/octet-stream"}), 404)
    expect_bare(client.mgmt("GET", no_path, headers={"Accept": "image/png"}), 404)
    expect_framework(client.mgmt("GET", no_path, headers={"Accept": "*/*;q=0.5, application/json"}), 404, "Not Found")
    expect_bare(client.mgmt("GET", no_path, headers={"Accept": "no media type"}), 404)
    unknown = f"/targets/{client.name('nobody')}"
    downloader = client.mgmt("GET", unknown, headers={"Accept": "application/octet-stream"})
    expect(f"status of {downloader.request} for a downloader", 406, downloader.status)
