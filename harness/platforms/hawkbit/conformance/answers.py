"""The answers that hawkBit gives in many places, said once (docs/contracts/hawkbit.md §0.1)."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import Mismatch, expect, expect_has, expect_keys, expect_that
from fleetrig.harness.platforms.hawkbit.conformance.generations import GENERATIONS

QUOTA_STATUSES: Final = frozenset({str(one.quota_status) for one in GENERATIONS.values()})
CODE: Final = "hawkbit.server.error."
REPOSITORY: Final = "org.eclipse.hawkbit.repository.exception."
ISO_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:?00)")


@contextlib.contextmanager
def usual(setting: str, value: object) -> Iterator[None]:
    """For limits that operators may change: where a limit is met elsewhere, the finding names the property."""
    try:
        yield
    except Mismatch as mismatch:
        one = mismatch.finding
        if not QUOTA_STATUSES.intersection(f"{one.expected} {one.got}".replace(":", " ").split()):
            raise
        raise Mismatch(replace(one, expected=f"{one.expected}, if {setting} is {value}")) from None


def expect_bare(answer: Answer, status: int = 200) -> Answer:
    """This status and no body."""
    expect(f"status of {answer.request}", status, answer.status)
    expect(f"body of {answer.request}", "", answer.text)
    return answer


def expect_document(answer: Answer, status: int = 200) -> Any:
    """This status and a JSON body, which is given back."""
    expect(f"status of {answer.request}", status, answer.status)
    return answer.json()


def expect_error(answer: Answer, status: int, code: str, **fields: Any) -> dict[str, Any]:
    """An error body with this `errorCode` (without prefix) and these further fields; gives it back."""
    expect(f"status of {answer.request}", status, answer.status)
    expect_type(answer, "application/json")
    body: dict[str, Any] = answer.json()
    expect_has(f"the error of {answer.request}", {"errorCode": CODE + code, **fields}, body)
    return body


def expect_framework(answer: Answer, status: int, error: str) -> None:
    """The error body of what never reached hawkBit's own code: no credentials, unknown path, wrong method or type."""
    body = expect_document(answer, status)
    expect_type(answer, "application/json")
    expect_keys(f"the error of {answer.request}", ["timestamp", "status", "error"], body)
    expect_has(f"the error of {answer.request}", {"status": status, "error": error}, body)
    expect_that(ISO_TIME.fullmatch(str(body["timestamp"])), "timestamp: ISO 8601 in UTC", body["timestamp"])


def expect_type(answer: Answer, media_type: str) -> None:
    """The Content-Type, parameters aside."""
    expect(f"Content-Type of {answer.request}", media_type, (answer.header("Content-Type") or "").partition(";")[0])


def expect_headers(answer: Answer, expected: Mapping[str, str | None]) -> None:
    """Exactly these values; None: no such header."""
    for name, value in expected.items():
        expect(f"{name} of {answer.request}", value, answer.header(name))


def expect_link(what: str, href: object, path: str) -> None:
    """An absolute URL that ends in this path. Host and what comes before are free: a proxy may stand in between."""
    parts = urlsplit(href if isinstance(href, str) else "")
    expect_that(parts.scheme in ("http", "https") and parts.netloc, f"{what}: an absolute URL", href)
    expect_that(parts.path.endswith(path), f"{what}: a path that ends in {path}", href)
