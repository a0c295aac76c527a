"""What a device tells of itself: `PUT configData` (spec/hawkbit.md §2.3)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import expect, expect_has, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import (
    DOS,
    REPOSITORY,
    expect_bare,
    expect_document,
    expect_error,
    expect_type,
    usual,
)
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import deployed
from fleetrig.harness.platforms.hawkbit.conformance.device_helpers import (
    NOT_READABLE,
    device,
    expect_framework_error,
    put_attributes,
)
from fleetrig.harness.platforms.hawkbit.conformance.session import JSON, Session, Target, tt

ROWS: Final[Resource[Session]] = Resource("hawkbit", "attributes")

LONGEST: Final = 128
MOST: Final = 100
EVERY_CHARACTER: Final = "A-Za-z0-9_!@#$%^&*()+=[]{}|;:'\",.<>/\\?"
AUDIT: Final = ("createdBy", "createdAt", "lastModifiedBy", "lastModifiedAt")
DATA: Final = b'{"data":{"a":"b"}}'


def attributes(server: Session, target: Target) -> dict[str, str]:
    """As operators see them; none for the 204 of a target that has none."""
    answer = server.mgmt("GET", f"/targets/{target.controller_id}/attributes")
    if answer.status == 204:
        return {}
    found: dict[str, str] = expect_document(answer)
    return found


def tell(server: Session, target: Target, data: object, mode: str | None = None) -> Answer:
    return put_attributes(server, target, {"data": data} if mode is None else {"mode": mode, "data": data})


def expect_told(
    server: Session, target: Target, after: dict[str, str], data: dict[str, Any], mode: str | None = None
) -> None:
    """A report that must be accepted, and what the attributes are after it."""
    expect_bare(tell(server, target, data, mode))
    expect(f"attributes after {mode or 'merge'} {data}", after, attributes(server, target))


@ROWS.row("S80", "modes", "merge adds and overwrites, null deletes; replace keeps nothing else; remove deletes by name")
def modes(server: Session) -> None:
    target = device(server)
    expect_told(server, target, {"a": "1", "b": "2"}, {"a": "1", "b": "2"})
    expect_told(server, target, {"a": "1", "b": "3", "c": "4"}, {"b": "3", "c": "4"}, "merge")
    expect_told(server, target, {"a": "1", "c": "4", "d": "5"}, {"b": None, "d": "5"}, "merge")
    expect_told(server, target, {"c": "4", "d": "5"}, {"a": "whatever", "nobody": "knows"}, "remove")
    expect_told(server, target, {"x": "9", "empty": ""}, {"x": "9", "y": None, "empty": ""}, "replace")
    expect_told(server, target, {"x": "10", "empty": ""}, {"x": "10"})
    expect("requestAttributes", False, server.record(target.controller_id)["requestAttributes"])


@ROWS.row("S81", "limits", "Keys and values of over 128 characters or with odd ones are refused, and nothing is stored")
def limits(server: Session) -> None:
    target = device(server)
    expect_told(server, target, {"ok": "1"}, {"ok": "1"})
    too_long = "k" * (LONGEST + 1)
    refused: tuple[dict[str, str], ...] = (
        {too_long: "v"}, {"k": too_long}, {"k": "ä"}, {"ä": "v"}, {"k": "~"}, {"k": "`"}, {"good": "1", "bad": "~"},
    )  # fmt: skip
    for data in refused:
        expect_error(tell(server, target, data), 400, "repo.invalidTargetAttributes",
                     exceptionClass=f"{REPOSITORY}InvalidTargetAttributeException")  # fmt: skip
    expect("attributes after the refusals", {"ok": "1"}, attributes(server, target))
    longest = {"k" * LONGEST: "v" * LONGEST, EVERY_CHARACTER: "a b\tc", "": "v", "-": ""}
    expect_told(server, target, {"ok": "1", **longest}, longest)


@ROWS.row("S82", "quota", "Of more than 100 attributes a target takes none; what does not add to them it takes")
@usual(f"{DOS}maxAttributeEntriesPerTarget", MOST)
def quota(server: Session) -> None:
    target = device(server)
    full = {f"k{number:03}": "v" for number in range(MOST)}
    expect_told(server, target, full, full)
    expect_quota(server, tell(server, target, {"new": "v"}))
    expect("attributes after the refusal", full, attributes(server, target))
    full["k000"] = "w"
    expect_told(server, target, full, {"k000": "w"})
    del full["k000"]
    full["new"] = "v"
    expect_told(server, target, full, {"k000": None, "new": "v"})
    other = device(server)
    expect_quota(server, tell(server, other, {f"k{number:03}": "v" for number in range(MOST + 1)}))
    expect("attributes after too many at once", {}, attributes(server, other))


def expect_quota(server: Session, answer: Answer) -> None:
    """The message counts all that there would be."""
    body = expect_error(answer, server.generation.quota_status, "quota.tooManyEntries",
                        exceptionClass=f"{REPOSITORY}AssignmentQuotaExceededException")  # fmt: skip
    begin = f"Quota exceeded: Cannot assign {MOST + 1} more Attribute entities to Target '"
    end = f"'. The maximum is {MOST}."
    message = body["message"]
    expect_that(message.startswith(begin) and message.endswith(end), f"the message: {begin}…{end}", message)


@ROWS.row("S83", "unreadable", "An unknown mode, empty data or none at all is refused, and changes nothing")
def unreadable(server: Session) -> None:
    target = device(server)
    bodies: tuple[dict[str, object], ...] = (
        {"mode": "MERGE", "data": {"a": "b"}}, {"mode": "nosuch", "data": {"a": "b"}}, {"data": {}}, {},
        {"mode": "merge"}, {"data": None},
    )  # fmt: skip
    for body in bodies:
        expect_error(put_attributes(server, target, body), 400, NOT_READABLE)
    expect("attributes afterwards", {}, attributes(server, target))
    expect("requestAttributes", True, server.record(target.controller_id)["requestAttributes"])


@ROWS.row("S84", "content-type", "Attributes come as application/json, with or without a charset; else it is a 415")
def content_type(server: Session) -> None:
    target = device(server)
    path = f"/{server.tenant}/controller/v1/{target.controller_id}/configData"
    for sent in ("application/hal+json", "text/plain", "application/x-www-form-urlencoded", None):
        headers = {"Authorization": tt(target), **({} if sent is None else {"Content-Type": sent})}
        answer = server.call("PUT", path, headers, DATA)
        expect_framework_error(answer, 415, "Unsupported Media Type")
        expect_type(answer, JSON)
    expect("attributes after the refusals", {}, attributes(server, target))
    for sent in (JSON, "application/json;charset=UTF-8", "application/json; charset=iso-8859-1"):
        expect_bare(put_attributes(server, target, DATA, headers={"Content-Type": sent}))
    expect("attributes", {"a": "b"}, attributes(server, target))


@ROWS.row("S85", "legacy-fields", "The id, time and status that old clients still send are ignored")
def legacy_fields(server: Session) -> None:
    target = device(server)
    status = {"result": {"finished": "success"}, "execution": "closed", "details": [""]}
    legacy = {"id": "", "time": "20261121T013408", "status": status, "data": {"a": "b"}}
    expect_bare(put_attributes(server, target, legacy))
    expect("attributes", {"a": "b"}, attributes(server, target))


@ROWS.row("S86", "audit", "A device never moves who made or changed its target, and when")
def audit(server: Session) -> None:
    one = deployed(server)
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
def numbers(server: Session) -> None:
    target = device(server)
    many = "123456789012345678901234567890"
    body = f'{{"data":{{"whole":5,"half":1.5,"yes":true,"many":{many},"short":1e3}}}}'
    stored = {"whole": "5", "half": "1.5", "yes": "true", "many": many, "short": "1e3"}
    expect_bare(put_attributes(server, target, body.encode()))
    expect("attributes", stored, attributes(server, target))
    for wrong in ({"whole": {"a": 1}}, {"whole": [1]}):
        expect("status of an object or array", 400, tell(server, target, wrong).status)
    expect("attributes after the refusals", stored, attributes(server, target))
