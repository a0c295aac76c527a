"""Devices as rows on authentication, polls and attributes need them: known ones and newcomers, let in or kept out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import cbor2

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import Mismatch, expect, expect_keys
from fleetrig.harness.platforms.hawkbit.conformance.answers import (
    expect_bare,
    expect_document,
    expect_error,
    expect_link,
    expect_type,
)
from fleetrig.harness.platforms.hawkbit.conformance.api_client import JSON, tt
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import CACHE_WITHIN_S, admitted, let_in
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.under_test import Target
from fleetrig.harness.platforms.hawkbit.settings import POLLING_TIME, TARGET_MODE
from fleetrig.harness.verdict import Finding

HAL: Final = "application/hal+json"
CBOR: Final = "application/cbor"
DDI_TYPES: Final = {HAL, JSON, CBOR}
SLEEP: Final = "00:05:00"
POLL_TIME_WITHIN_S: Final = 12.0
"""Poll times are written in the background, at the latest after 10 s (§2.1)."""
VIOLATION: Final = "repo.constraintViolation"
NOT_READABLE: Final = "rest.body.notReadable"


def device(client: RowClient, **fields: Any) -> Target:
    """A new target that may come in with its token but never did; devices are told to poll every five minutes."""
    client.settings.change({TARGET_MODE: True, POLLING_TIME: SLEEP})
    probe, target = client.target(), client.target(**fields)
    admitted(client, probe)
    wait_for_sleep(client, probe.controller_id, tt(probe))
    return target


def gateway(client: RowClient) -> str:
    """Lets devices in with the gateway token, to be told to poll every five minutes; gives the Authorization value."""
    client.settings.change({POLLING_TIME: SLEEP})
    auth, probe = client.settings.switch_gateway_on(), newcomer(client)
    let_in(client, probe, auth)
    wait_for_sleep(client, probe, auth)
    return auth


def wait_for_sleep(client: RowClient, controller_id: str, auth: str) -> None:
    """Until devices see the polling time, which may have been another one a moment ago."""

    def seen() -> None:
        document = expect_document(client.ddi("GET", controller_id, auth=auth))
        expect("config.polling.sleep", SLEEP, document["config"]["polling"]["sleep"])

    client.until(CACHE_WITHIN_S, seen)


def newcomer(client: RowClient, hint: str = "new") -> str:
    """A controllerId that nobody knows; should it become a target, that is removed when the row ends."""
    name = client.name(hint)
    client.forget_target(name)
    return name


def put_attributes(client: RowClient, target: Target, body: object, **more: Any) -> Answer:
    """`PUT configData` with the target's token."""
    return client.ddi("PUT", target.controller_id, "/configData", auth=tt(target), body=body, **more)


def expect_bare_401(answer: Answer) -> None:
    """The one refusal of the Device API: no body, no challenge, no reason (§3.1)."""
    expect_bare(answer, 401)
    expect(f"WWW-Authenticate of {answer.request}", None, answer.header("WWW-Authenticate"))


def expect_kept_out(
    client: RowClient, controller_id: str, auth: str | None, headers: Mapping[str, str] | None = None
) -> None:
    """A bare 401, once the switch that row has just turned is seen by devices."""
    client.until(
        CACHE_WITHIN_S,
        lambda: expect_bare_401(client.ddi("GET", controller_id, auth=auth, headers=headers)),
    )


def expect_unknown(client: RowClient, controller_id: str) -> None:
    """No such target, as the Management API says it."""
    answer = client.mgmt("GET", f"/targets/{controller_id}")
    expect_error(answer, 404, "repo.entityNotFound", info={"type": "Target", "entityId": controller_id})


def expect_one(client: RowClient, controller_id: str) -> dict[str, Any]:
    """Exactly one target of this id, which is given back."""
    page = expect_document(client.mgmt("GET", f"/targets?q=controllerId=={controller_id}"))
    expect(f"number of targets called {controller_id}", 1, page["total"])
    record: dict[str, Any] = page["content"][0]
    return record


def expect_poll(document: Mapping[str, Any], sleep: str, paths: Mapping[str, str]) -> None:
    """A poll document with this interval and exactly these links (rel -> how its path ends); none: no `_links`."""
    expect_keys("the poll document", ["config", *(["_links"] if paths else [])], document)
    expect("config", {"polling": {"sleep": sleep}}, document["config"])
    links = document.get("_links", {})
    expect_keys("_links of the poll", paths, links)
    for rel, path in paths.items():
        expect_keys(f"the link {rel}", ["href"], links[rel])
        expect_link(f"the link {rel}", links[rel]["href"], path)


def config_data(client: RowClient, controller_id: str, tenant: str | None = None) -> dict[str, str]:
    """The one link of a target that is asked for its attributes and has nothing else to do."""
    return {"configData": f"/{tenant or client.tenant}/controller/v1/{controller_id}/configData"}


def expect_framework_error(answer: Answer, status: int, phrase: str) -> None:
    """Spring's own error body (§0.1)."""
    expect(f"status of {answer.request}", status, answer.status)
    body = answer.json()
    expect_keys(f"the body of {answer.request}", ["timestamp", "status", "error"], body)
    expect(f"status in the body of {answer.request}", status, body["status"])
    expect(f"error in the body of {answer.request}", phrase, body["error"])


def expect_violation(answer: Answer, *sentences: str) -> None:
    """400 with these sentences in any order."""
    body = expect_error(answer, 400, VIOLATION)
    expect("the class of the exception", "jakarta.validation.ConstraintViolationException", body["exceptionClass"])
    said = {f"{part.strip().rstrip('.')}." for part in body["message"].split(". ")}
    expect("sentences of the message", sorted(sentences), sorted(said))


def expect_cbor(answer: Answer, status: int = 200) -> Any:
    """This status and a body in CBOR, decoded."""
    expect(f"status of {answer.request}", status, answer.status)
    expect_type(answer, CBOR)
    try:
        return cbor2.loads(answer.body)
    except (cbor2.CBORDecodeError, ValueError):
        raise Mismatch(Finding(f"{answer.request}: a body in CBOR", repr(answer.body[:200]))) from None


def names_in(header: str | None) -> set[str]:
    """The elements of a header that lists names."""
    return {name.strip() for name in (header or "").split(",") if name.strip()}
