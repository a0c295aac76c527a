"""What a device tells of itself: `PUT configData` (docs/contracts/hawkbit.md §2.3)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import expect, expect_has, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import (
    REPOSITORY,
    expect_bare,
    expect_document,
    expect_error,
    expect_type,
    usual,
)
from fleetrig.harness.platforms.hawkbit.conformance.api_client import JSON, tt
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import deployed
from fleetrig.harness.platforms.hawkbit.conformance.device_helpers import (
    NOT_READABLE,
    device,
    expect_framework_error,
    put_attributes,
)
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.start_properties import DOS
from fleetrig.harness.platforms.hawkbit.conformance.under_test import Target

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "attributes")

LONGEST: Final = 128
MOST: Final = 100
EVERY_CHARACTER: Final = "A-Za-z0-9_!@#$%^&*()+=[]{}|;:'\",.<>/\\?"
AUDIT: Final = ("createdBy", "createdAt", "lastModifiedBy", "lastModifiedAt")
DATA: Final = b'{"data":{"a":"b"}}'


def attributes(client: RowClient, target: Target) -> dict[str, str]:
    """As operators see them; none for the 204 of a target that has none."""
    answer = client.mgmt("GET", f"/targets/{target.controller_id}/attributes")
    if answer.status == 204:
        return {}
    found: dict[str, str] = expect_document(answer)
    return found


def tell(client: RowClient, target: Target, data: object, mode: str | None = None) -> Answer:
    return put_attributes(client, target, {"data": data} if mode is None else {"mode": mode, "data": data})


def expect_told(
    client: RowClient, target: Target, after: dict[str, str], data: dict[str, Any], mode: str | None = None
) -> None:
    """A report that must be accepted, and what the attributes are after it."""
    expect_bare(tell(client, target, data, mode))
    expect(f"attributes after {mode or 'merge'} {data}", after, attributes(client, target))


@ROWS.row("S80", "modes", "merge adds and overwrites, null deletes; replace keeps nothing else; remove deletes by name")
def modes(client: RowClient) -> None:
    target = device(client)
    expect_told(client, target, {"a": "1", "b": "2"}, {"a": "1", "b": "2"})
    expect_told(client, target, {"a": "1", "b": "3", "c": "4"}, {"b": "3", "c": "4"}, "merge")
    expect_told(client, target, {"a": "1", "c": "4", "d": "5"}, {"b": None, "d": "5"}, "merge")
    expect_told(client, target, {"c": "4", "d": "5"}, {"a": "whatever", "nobody": "knows"}, "remove")
    expect_told(client, target, {"x": "9", "empty": ""}, {"x": "9", "y": None, "empty": ""}, "replace")
    expect_told(client, target, {"x": "10", "empty": ""}, {"x": "10"})
    expect("requestAttributes", False, client.record(target.controller_id)["requestAttributes"])


@ROWS.row("S81", "limits", "Keys and values of over 128 characters or with odd ones are refused, and nothing is stored")
def limits(client: RowClient) -> None:
    target = device(client)
    expect_told(client, target, {"ok": "1"}, {"ok": "1"})
    too_long = "k" * (LONGEST + 1)
    refused: tuple[dict[str, str], ...] = (
        {too_long: "v"}, {"k": too_long}, {"k": "ä"}, {"ä": "v"}, {"k": "~"}, {"k": "`"}, {"good": "1", "bad": "~"},
    )  # fmt: skip
    for data in refused:
        expect_error(tell(client, target, data), 400, "repo.invalidTargetAttributes",
                     exceptionClass=f"{REPOSITORY}InvalidTargetAttributeException")  # fmt: skip
    expect("attributes after the refusals", {"ok": "1"}, attributes(client, target))
    longest = {"k" * LONGEST: "v" * LONGEST, EVERY_CHARACTER: "a b\tc", "": "v", "-": ""}
    expect_told(client, target, {"ok": "1", **longest}, longest)


@ROWS.row("S82", "quota", "Of more than 100 attributes a target takes none; what does not add to them it takes")
@usual(f"{DOS}maxAttributeEntriesPerTarget", MOST)
def quota(client: RowClient) -> None:
    target = device(client)
    full = {f"k{number:03}": "v" for number in range(MOST)}
    expect_told(client, target, full, full)
    expect_quota(client, tell(client, target, {"new": "v"}))
    expect("attributes after the refusal", full, attributes(client, target))
    full["k000"] = "w"
    expect_told(client, target, full, {"k000": "w"})
    del full["k000"]
    full["new"] = "v"
    expect_told(client, target, full, {"k000": None, "new": "v"})
    other = device(client)
    expect_quota(client, tell(client, other, {f"k{number:03}": "v" for number in range(MOST + 1)}))
    expect("attributes after too many at once", {}, attributes(client, other))


def expect_quota(client: RowClient, answer: Answer) -> None:
    """The message counts all that there would be."""
    body = expect_error(answer, client.generation.quota_status, "quota.tooManyEntries",
                        exceptionClass=f"{REPOSITORY}AssignmentQuotaExceededException")  # fmt: skip
    begin = f"Quota exceeded: Cannot assign {MOST + 1} more Attribute entities to Target '"
    end = f"'. The maximum is {MOST}."
    message = body["message"]
    expect_that(message.startswith(begin) and message.endswith(end), f"the message: {begin}…{end}", message)


@ROWS.row("S83", "unreadable", "An unknown mode, empty data or none at all is refused, and changes nothing")
def unreadable(client: RowClient) -> None:
    target = device(client)
    bodies: tuple[dict[str, object], ...] = (
        {"mode": "MERGE", "data": {"a": "b"}}, {"mode": "nosuch", "data": {"a": "b"}}, {"data": {}}, {},
        {"mode": "merge"}, {"data": None},
    )  # fmt: skip
    for body in bodies:
        expect_error(put_attributes(client, target, body), 400, NOT_READABLE)
    expect("attributes afterwards", {}, attributes(client, target))
    expect("requestAttributes", True, client.record(target.controller_id)["requestAttributes"])


@ROWS.row("S84", "content-type", "Attributes come as application/json, with or without a charset; else it is a 415")
def content_type(client: RowClient) -> None:
    target = device(client)
    path = f"/{client.tenant}/controller/v1/{target.controller_id}/configData"
    for sent in ("application/hal+json", "text/plain", "application/x-www-form-urlencoded", None):
        headers = {"Authorization": tt(target), **({} if sent is None else {"Content-Type": sent})}
        answer = client.call("PUT", path, headers, DATA)
        expect_framework_error(answer, 415, "Unsupported Media Type")
        expect_type(answer, JSON)
    expect("attributes after the refusals", {}, attributes(client, target))
    for sent in (JSON, "application/json;charset=UTF-8", "application/json; charset=iso-8859-1"):
        expect_bare(put_attributes(client, target, DATA, headers={"Content-Type": sent}))
    expect("attributes", {"a": "b"}, attributes(client, target))


@ROWS.row("S85", "legacy-fields", "The id, time and status that old clients still send are ignored")
def legacy_fields(client: RowClient) -> None:
    target = device(client)
    status = {"result": {"finished": "success"}, "execution": "closed", "details": [""]}
    legacy = {"id": "", "time": "20261121T013408", "status": status, "data": {"a": "b"}}
    expect_bare(put_attributes(client, target, legacy))
    expect("attributes", {"a": "b"}, attributes(client, target))


@ROWS.row("S86", "audit", "A device never moves who made or changed its target, and when")
def audit(client: RowClient) -> None:
    one = deployed(client)
    before = one.record()
    noted = {field: before[field] for field in AUDIT}
    expect_document(one.device("GET"))
    expect_has("the target after a poll", noted, one.record())
    expect_bare(one.device("PUT", "/configData", body={"data": {"a": "b"}}))
    expect_has("the target after configData", noted, one.record())
    one.reported("proceeding")
    one.reported("closed", "success")
    one.expect_target("in_sync")
    expect_has("the target after feedback", noted, one.record())


@ROWS.row("S125", "numbers", "Numbers and booleans are stored as they were written; objects and arrays are refused")
def numbers(client: RowClient) -> None:
    target = device(client)
    many = "123456789012345678901234567890"
    body = f'{{"data":{{"whole":5,"half":1.5,"yes":true,"many":{many},"short":1e3}}}}'
    stored = {"whole": "5", "half": "1.5", "yes": "true", "many": many, "short": "1e3"}
    expect_bare(put_attributes(client, target, body.encode()))
    expect("attributes", stored, attributes(client, target))
    for wrong in ({"whole": {"a": 1}}, {"whole": [1]}):
        expect("status of an object or array", 400, tell(client, target, wrong).status)
    expect("attributes after the refusals", stored, attributes(client, target))
