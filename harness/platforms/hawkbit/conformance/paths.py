"""Odd paths: what is refused before anybody is asked who he is, and what is a controllerId like any other (§0)."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import expect
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import expect_document, expect_error, expect_type
from fleetrig.harness.platforms.hawkbit.conformance.api_client import JSON, basic, tt
from fleetrig.harness.platforms.hawkbit.conformance.device_helpers import (
    NOT_READABLE,
    SLEEP,
    config_data,
    device,
    expect_framework_error,
    expect_poll,
    expect_violation,
    gateway,
)
from fleetrig.harness.platforms.hawkbit.conformance.proxy_tolerance import tolerating_proxies
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "paths")

MISREAD: Final = ("{id};v=1", "{id}%3Bv", "{id}%25b", "/{id}", "{id}//configData", "%2e", "%2e%2e/x", "../x",
                  "./{id}", "{id}%0a", "{id}/.", "{id}/..")  # fmt: skip
"""What could be read in two ways: refused with the framework's body. Below `/controller/v1/`."""
NO_PATH: Final = ("{id}%2Fb", "{id}%5Cb", "{id}\\b", "{id}%00", "{id}%FF")
"""What is no path at all: refused with a page."""
PLAIN: Final = {
    "%C3%A4": "%C3%A4", "+b": "%2Bb", "%2Bb": "%2Bb", ":b": "%3Ab", "%3Ab": "%3Ab", "@b": "%40b", ",b": "%2Cb",
    "*": "%2A", "%22": "%22", "%3Cb%3Ex": "%3Cb%3Ex", "%3C": "%3C", "%7F": "%7F", ".b": ".b", "..b": "..b",
}  # fmt: skip
"""What an id may end in, as sent and as it stands in links."""


@ROWS.row("S122", "odd-characters", "Paths that could be misread are a 400 before authentication; other ids just work")
def odd_characters(client: RowClient) -> None:
    key, name = gateway(client), client.name()
    with tolerating_proxies(client, "odd paths"):
        for headers in ({"Authorization": key}, {}):
            expect_misread(client, name, headers)
            expect_no_path(client, name, headers)
        answer = client.call("GET", "/rest/v1/targets/a;b", {"Authorization": basic(client.under_test.admin)})
        expect_refused(answer)
        expect_framework_error(answer, 400, "Bad Request")
        expect_violation(sent(client, f"{name}%20b", {"Authorization": key}),
                         "controllerId has whitespaces which are not allowed.")  # fmt: skip
        for suffix, linked in PLAIN.items():
            expect_created(client, key, client.name(), suffix, linked)


def sent(client: RowClient, below: str, headers: dict[str, str]) -> Answer:
    return client.call("GET", f"/{client.tenant}/controller/v1/{below}", headers)


def expect_refused(answer: Answer) -> None:
    """400, and neither the security headers nor the connection are kept."""
    expect(f"status of {answer.request}", 400, answer.status)
    expect(f"X-Frame-Options of {answer.request}", None, answer.header("X-Frame-Options"))
    expect(f"Connection of {answer.request}", "close", answer.header("Connection"))


def expect_misread(client: RowClient, name: str, headers: dict[str, str]) -> None:
    for path in MISREAD:
        answer = sent(client, path.format(id=name), headers)
        expect_refused(answer)
        expect_framework_error(answer, 400, "Bad Request")
        expect_type(answer, JSON)


def expect_no_path(client: RowClient, name: str, headers: dict[str, str]) -> None:
    for path in NO_PATH:
        answer = sent(client, path.format(id=name), headers)
        expect_refused(answer)
        expect_type(answer, "text/html")


def expect_created(client: RowClient, key: str, name: str, suffix: str, linked: str) -> None:
    """A newcomer of this id, whose link has it percent-encoded."""
    controller_id = name + unquote(suffix)
    client.forget_target(controller_id)
    answer = sent(client, name + suffix, {"Authorization": key})
    expect_poll(expect_document(answer), SLEEP, config_data(client, name + linked))
    risky = "inline;filename=f.txt" if "." in suffix else None
    expect(f"Content-Disposition of {answer.request}", risky, answer.header("Content-Disposition"))
    expect("controllerId", controller_id, client.record(controller_id)["controllerId"])


@ROWS.row("S138", "odd-ids", "Actions that cannot be are a 404, ids and parameters that are no numbers a 400")
def odd_ids(client: RowClient) -> None:
    target = device(client)

    def get(below: str) -> Answer:
        return client.ddi("GET", target.controller_id, f"/deploymentBase/{below}", auth=tt(target))

    for number in (0, -1):
        info = {"type": "Action", "entityId": number}
        message = f"Action with given identifier {{{number}}} does not exist."
        expect_error(get(str(number)), 404, "repo.entityNotFound", info=info, message=message)
    for below in ("9223372036854775808", "abc", "1?c=abc", "1?actionHistory=x"):
        expect_error(get(below), 400, NOT_READABLE)
