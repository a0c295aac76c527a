"""No row passes by looping over nothing: given empty lists where a server has entries, it notices."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.platforms.hawkbit.conformance.api_client import ApiClient
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.suite import ROWS
from fleetrig.harness.verdict import Verdict
from tests.harness.platforms.hawkbit.conformance.in_process import reference
from tests.harness.platforms.hawkbit.conformance.row_reports import judged, told

pytestmark = pytest.mark.slow

PATIENCE_S = 0.5
OTHERWISE = {
    "/userinfo": "the account's rights, for a row that needs to know whether to skip",
    "/installedDS": "which set it is",
    "/assignedDS": "which set it is",
    "/deploymentBase/": "that it can be read: the row is about the cancel",
    "/distributionsets/": "whether the set is valid",
}
"""What rows read of a document whose lists they have no use for."""


def emptied(document: Any) -> Any:
    """The same document, every list in it empty, and its totals too."""
    match document:
        case {"content": list()}:
            return {**document, "content": [], "total": 0, "size": 0}
        case dict():
            return {key: emptied(value) for key, value in document.items()}
        case list():
            return []
        case _:
            return document


def test_rows_notice_that_a_list_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    call, until = ApiClient.call, RowClient.until
    seen: list[str] = []

    def hollow(
        self: ApiClient, method: str, path: str, headers: Mapping[str, str], content: bytes | None = None
    ) -> Answer:
        answer = call(self, method, path, headers, content)
        if method != "GET" or answer.status != 200 or not answer.body.startswith((b"{", b"[")):
            return answer
        document = json.loads(answer.body)
        if (hollowed := emptied(document)) != document:
            seen.append(path)
        return replace(answer, body=json.dumps(hollowed).encode())

    monkeypatch.setattr(ApiClient, "call", hollow)
    monkeypatch.setattr(RowClient, "until", lambda self, within_s, check: until(self, min(within_s, PATIENCE_S), check))
    unnoticed = []
    noticed = 0
    with reference() as server:
        for row in ROWS:
            seen.clear()
            report = judged(server, row)
            of_use = [path for path in seen if not any(part in path for part in OTHERWISE)]
            noticed += bool(of_use) and report.verdict is Verdict.FAILED
            if of_use and report.verdict is Verdict.PASSED:
                unnoticed.append((told(report), of_use))
    assert not unnoticed
    assert noticed > 50, "otherwise this test looks at nothing itself"
