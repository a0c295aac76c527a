"""Devices as rows on authentication, polls and attributes need them: known ones and newcomers, let in or kept out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from harness.conformance.exact_client import Answer
from harness.conformance.findings import expect, expect_keys
from harness.conformance.hawkbit.answers import CODE, expect_bare, expect_document, expect_error, expect_link
from harness.conformance.hawkbit.deployed import CACHE_WITHIN_S, admitted
from harness.conformance.hawkbit.session import TARGET_MODE, Session, Target, tt

HAL: Final = "application/hal+json"
POLLING_TIME: Final = "pollingTime"
SLEEP: Final = "00:05:00"
POLL_TIME_WITHIN_S: Final = 12.0
"""Poll times are written in the background, at the latest after 10 s (§2.1)."""
VIOLATION: Final = "repo.constraintViolation"
NOT_READABLE: Final = "rest.body.notReadable"


def device(server: Session, **fields: Any) -> Target:
    """A new target that may come in with its token but never did; polls are to come every five minutes."""
    server.configure_keys({TARGET_MODE: True, POLLING_TIME: SLEEP})
    target = server.target(**fields)
    admitted(server, target)
    return target


def newcomer(server: Session, hint: str = "new") -> str:
    """A controllerId that nobody knows; should it become a target, that is removed when the row ends."""
    name = server.name(hint)
    server.forget_target(name)
    return name


def put_attributes(server: Session, target: Target, body: object, **more: Any) -> Answer:
    """`PUT configData` with the target's token."""
    return server.ddi("PUT", target.controller_id, "/configData", auth=tt(target), body=body, **more)


def expect_bare_401(answer: Answer) -> None:
    """The one refusal of the Device API: no body, no challenge, no reason (§3.1)."""
    expect_bare(answer, 401)
    expect(f"WWW-Authenticate of {answer.request}", None, answer.header("WWW-Authenticate"))


def expect_kept_out(
    server: Session, controller_id: str, auth: str | None, headers: Mapping[str, str] | None = None
) -> None:
    """A bare 401, once the switch that row has just turned is seen by devices."""
    server.until(
        CACHE_WITHIN_S,
        lambda: expect_bare_401(server.ddi("GET", controller_id, auth=auth, headers=headers)),
    )


def expect_unknown(server: Session, controller_id: str) -> None:
    """No such target, as the Management API says it."""
    answer = server.mgmt("GET", f"/targets/{controller_id}")
    expect_error(answer, 404, "repo.entityNotFound", info={"type": "Target", "entityId": controller_id})


def expect_one(server: Session, controller_id: str) -> dict[str, Any]:
    """Exactly one target of this id, which is given back."""
    page = expect_document(server.mgmt("GET", f"/targets?q=controllerId=={controller_id}"))
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


def config_data(server: Session, controller_id: str, tenant: str | None = None) -> dict[str, str]:
    """The one link of a target that is asked for its attributes and has nothing else to do."""
    return {"configData": f"/{tenant or server.tenant}/controller/v1/{controller_id}/configData"}


def expect_framework_error(answer: Answer, status: int, phrase: str) -> None:
    """Spring's own error body (§0.1)."""
    expect(f"status of {answer.request}", status, answer.status)
    body = answer.json()
    expect_keys(f"the body of {answer.request}", ["timestamp", "status", "error"], body)
    expect(f"status in the body of {answer.request}", status, body["status"])
    expect(f"error in the body of {answer.request}", phrase, body["error"])


def expect_violation(answer: Answer, server: Session, *sentences: str) -> None:
    """400 with these sentences in any order; their wording is that of the current releases."""
    body = expect_error(answer, 400, VIOLATION)
    if server.profile != "0.9":
        expect("the class of the exception", "jakarta.validation.ConstraintViolationException", body["exceptionClass"])
        said = {f"{part.strip().rstrip('.')}." for part in body["message"].split(". ")}
        expect("sentences of the message", sorted(sentences), sorted(said))


def error_code(body: Mapping[str, Any]) -> str:
    """`errorCode` without its prefix."""
    return str(body.get("errorCode", "")).removeprefix(CODE)
