"""The device registry's management API, asked byte for byte (docs/contracts/hono.md §1)."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from fleetrig.harness.conformance.answer_reading import media_type
from fleetrig.harness.conformance.exact_client import Answer, ExactClient
from fleetrig.harness.conformance.expect import Mismatch, expect, expect_that
from fleetrig.harness.verdict import Finding
from fleetrig.simulator.contract.identity import UserPassword

JSON: Final = {"Content-Type": "application/json"}
UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
"""UTC, whole seconds."""
MOST_RESULTS: Final = 200
"""Of one page of a search."""


class RegistryApi:
    """`account` is None for a registry that asks nobody who he is."""

    def __init__(self, http: ExactClient, account: UserPassword | None = None) -> None:
        self.http = http
        self._authorization = {} if account is None else {"Authorization": basic(account.user, account.password)}

    def api(self, method: str, path: str, document: Any = None, **headers: str) -> Answer:
        """`/tenants/t` below `/v1`. A document goes as JSON; headers are written `if_match`."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        body = None if document is None else json.dumps(document).encode()
        return self.api_bytes(method, path, body, {**(JSON if document is not None else {}), **more})

    def api_bytes(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        return self.http.call(method, f"/v1{path}", {**headers, **self._authorization}, body)

    def asked(self, method: str, path: str, document: Any = None, status: int = 200, **headers: str) -> Answer:
        """What has to be answered with this status."""
        answer = self.api(method, path, document, **headers)
        expect_status(answer, status)
        return answer

    def document(self, path: str) -> Any:
        """What a GET gives."""
        return self.asked("GET", path).json()

    def search(self, path: str) -> list[dict[str, Any]]:
        """All results of a search that ends on one page; a search that finds nothing is answered with 404."""
        answer = self.api("GET", f"{path}?pageSize={MOST_RESULTS}")
        if answer.status == 404:
            return []
        expect_status(answer, 200)
        found: dict[str, Any] = answer.json()
        expect_that(found["total"] <= MOST_RESULTS, f"{path}: at most {MOST_RESULTS} results", found["total"])
        expect("total and the number of results", found["total"], len(found["result"]))
        return list(found["result"])


def basic(user: str, password: str) -> str:
    """The value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def expect_status(answer: Answer, *statuses: int) -> None:
    if answer.status not in statuses:
        wanted = " or ".join(map(str, statuses))
        raise Mismatch(Finding(f"{answer.request}: {wanted}", f"{answer.status} {answer.text[:200]}".strip()))


def expect_error(answer: Answer, *statuses: int) -> None:
    """A refusal as the platform words one: JSON with a text `error`."""
    expect_status(answer, *statuses)
    expect_error_body(answer)


def expect_error_body(answer: Answer) -> None:
    expect(f"{answer.request}: the content type of an error", "application/json", media_type(answer))
    text = answer.json().get("error")
    expect_that(isinstance(text, str) and text, f"{answer.request}: `error` is a text", answer.text)


def expect_version(answer: Answer) -> str:
    """The ETag: a bare resource version, without quotes."""
    version = answer.header("ETag") or ""
    expect_that(UUID.fullmatch(version), f"{answer.request}: an ETag that is a UUID without quotes", version)
    return version


def expect_created(answer: Answer, folder: str, object_id: str | None = None) -> str:
    """201 with the id, its place and a version. The id; None stands for one that the registry makes, a UUID."""
    expect_status(answer, 201)
    made = answer.json()["id"]
    expect_that(made == object_id if object_id else UUID.fullmatch(made), f"the id is {object_id or 'a UUID'}", made)
    expect("Location", f"/v1{folder}/{made}", answer.header("Location"))
    expect_version(answer)
    return str(made)


def expect_changed(answer: Answer) -> str:
    """204 with a version and nothing else."""
    expect_status(answer, 204)
    expect(f"{answer.request}: the body", b"", answer.body)
    return expect_version(answer)
