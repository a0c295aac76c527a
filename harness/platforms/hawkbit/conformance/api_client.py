"""Both APIs of hawkBit, byte for byte: what a row sends as an operator and as a device."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import Mismatch
from fleetrig.harness.platforms.hawkbit.conformance.under_test import Target, TenantUnderTest
from fleetrig.harness.verdict import Finding
from fleetrig.simulator.contract.header_text import basic_authorization
from fleetrig.simulator.contract.identity import UserPassword

JSON: Final = "application/json"
BOUNDARY: Final = "fleetrigconformance"
LIMITER_WINDOW_S: Final = 1.1
"""A little more than the second for which the request limiter counts."""
MOST_WAITS: Final = 3


class ApiClient:
    """Requests to one tenant. Nothing is remembered; `RowClient` adds what a row makes and configures."""

    def __init__(self, under_test: TenantUnderTest) -> None:
        self.under_test = under_test
        self.http = under_test.http
        self.tenant = under_test.tenant

    def mgmt(
        self, method: str, path: str, body: object = None, *, headers: Mapping[str, str] | None = None,
        account: UserPassword | None = None,
    ) -> Answer:  # fmt: skip
        """A call of the Management API with admin rights; `path` is below `/rest/v1`. Bodies but bytes are JSON."""
        own = {"Authorization": basic(account or self.under_test.admin), **(headers or {})}
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if content is not None:
            own.setdefault("Content-Type", JSON)
        return self.call(method, f"/rest/v1{path}", own, content)

    def ddi(
        self, method: str, controller_id: str, path: str = "", *, auth: str | None = None, body: object = None,
        headers: Mapping[str, str] | None = None, tenant: str | None = None,
    ) -> Answer:  # fmt: skip
        """A call of the Device API; `auth` is the whole Authorization value (`Target.token` through `tt`)."""
        own = dict(headers or {})
        if auth is not None:
            own["Authorization"] = auth
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if content is not None:
            own.setdefault("Content-Type", JSON)
        root = f"/{tenant or self.tenant}/controller/v1/{quote(controller_id, safe='')}"
        return self.call(method, root + path, own, content)

    def call(self, method: str, path: str, headers: Mapping[str, str], content: bytes | None = None) -> Answer:
        """Sends exactly this. Waits when the request limiter says so, unless the row plays a client of its own."""
        if "X-Forwarded-For" in headers:
            return self.http.call(method, path, headers, content)
        return patiently(lambda: self.http.call(method, path, headers, content))

    def poll(self, target: Target, **more: Any) -> Answer:
        """The device's root document, with its own token."""
        return self.ddi("GET", target.controller_id, auth=tt(target), **more)

    def feedback(
        self, target: Target, action_id: int | str, execution: str, finished: str = "none", **more: Any
    ) -> Answer:
        """A report on a deployment; `status` entries beyond the two are given by name (details, code)."""
        path = f"/deploymentBase/{action_id}/feedback"
        return self.ddi("POST", target.controller_id, path, auth=tt(target), body=report(execution, finished, **more))

    def follow(self, href: str, method: str = "GET", *, auth: str, body: object = None) -> Answer:
        """A link as given. Raises Mismatch when it leads to another server."""
        base = self.http.url
        if not href.startswith(base + "/"):
            raise Mismatch(Finding(f"a link that begins with {base}", href))
        content = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": auth, **({} if content is None else {"Content-Type": JSON})}
        return self.call(method, href.removeprefix(base), headers, content)

    def upload(self, module_id: int, content: bytes, filename: str = "fw.bin", query: str = "") -> Answer:
        """An artifact as multipart form data."""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        body = f"{head}Content-Type: application/octet-stream\r\n\r\n".encode() + content
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        path = f"/softwaremodules/{module_id}/artifacts{query}"
        return self.mgmt("POST", path, body + f"\r\n--{BOUNDARY}--\r\n".encode(), headers=headers)


def patiently(send: Callable[[], Answer]) -> Answer:
    """Returns the answer, asked for again while the request limiter refuses (§3.5)."""
    answer = send()
    for _ in range(MOST_WAITS):
        if answer.status != 429 or answer.body:
            break
        time.sleep(LIMITER_WINDOW_S)
        answer = send()
    return answer


def basic(account: UserPassword) -> str:
    """The value of an Authorization header."""
    return basic_authorization(account.user, account.password)


def tt(target: Target) -> str:
    """The Authorization value of a device with its target token."""
    return f"TargetToken {target.token}"


def report(execution: str, finished: str = "none", *, timestamp: int | None = None, **status: Any) -> dict[str, Any]:
    """A feedback document (§2.5)."""
    body: dict[str, Any] = {"status": {"execution": execution, "result": {"finished": finished}, **status}}
    return body if timestamp is None else {"timestamp": timestamp, **body}
