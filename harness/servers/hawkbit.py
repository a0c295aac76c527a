"""hawkBit's Management API as the harness uses it: each call a generator of Asks, so it runs in virtual and real time.

Only what is public (spec/hawkbit.md §1). Raises `BrokenBench` with the first cause when the server cannot be used.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Generator, Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import quote

from simulator.contract.bodies import body_bytes
from simulator.contract.errors import BrokenBench, UsageError
from simulator.contract.identity import UserPassword
from simulator.contract.wire import Headers, HttpRequest, HttpResponse, split_url
from simulator.effects import Ask, NoReply, Outcome, Reply

T = TypeVar("T")
Call = Generator[Ask, Outcome, T]

ADMIN_WITHIN_S: Final = 30.0
CREATE_BATCH: Final = 1_000
PAGE: Final = 500
BOUNDARY: Final = "fleetrig-7d1f3a5b9c"

JsonDict = dict[str, Any]


class HawkbitAdmin:
    """An operator's account on one server. `url` may hold a path, as behind a reverse proxy."""

    platform = "hawkbit"

    def __init__(
        self, url: str, account: UserPassword, tenant: str = "DEFAULT", *, may_change_settings: bool = True
    ) -> None:
        self.url = url.rstrip("/")
        self._origin, prefix = split_url(self.url)
        self._prefix = prefix.rstrip("/")
        self.account = account
        self.tenant = tenant
        self.may_change_settings = may_change_settings

    @property
    def basic(self) -> str:
        """The value of the Authorization header."""
        pair = f"{self.account.user}:{self.account.password}".encode()
        return "Basic " + base64.b64encode(pair).decode("ascii")

    def request(self, method: str, path: str, body: object = None, headers: Headers = ()) -> HttpRequest:
        """A JSON request under `/rest/v1`."""
        own: Headers = (("Authorization", self.basic), ("Accept", "application/json"), *headers)
        target = f"{self._prefix}/rest/v1{path}"
        if body is None:
            return HttpRequest(method, self._origin, target, own)
        own = (*own, ("Content-Type", "application/json"))
        return HttpRequest(method, self._origin, target, own, json.dumps(body).encode())

    def send(self, request: HttpRequest) -> Call[HttpResponse]:
        """Any answer, as long as there is one and the account is accepted."""
        answer = yield Ask("admin", request, ADMIN_WITHIN_S)
        match answer:
            case Reply(HttpResponse(status=401)):
                raise BrokenBench(
                    f"{self.url} does not accept the account {self.account.user!r}: check user and password"
                )
            case Reply(HttpResponse() as response):
                return response
            case NoReply(why):
                raise BrokenBench(f"the server at {self.url} cannot be used: {request.method} was answered by {why}")
            case _:
                raise AssertionError(f"a driver answered Ask with {answer!r}")

    def call(self, method: str, path: str, body: object = None, expect: Sequence[int] = (200, 201, 204)) -> Call[Any]:
        """The JSON of an answer with an expected status; None when it has no body."""
        return (yield from self.json_of(self.request(method, path, body), expect))

    def json_of(self, request: HttpRequest, expect: Sequence[int] = (200, 201, 204)) -> Call[Any]:
        response = yield from self.send(request)
        text = body_bytes(response.body)
        if response.status not in expect:
            raise BrokenBench(
                f"{request.method} {request.target} on {self.url} answered {response.status}, expected "
                f"{' or '.join(map(str, expect))}: {text[:300].decode('utf-8', 'replace') or 'no body'}"
            )
        if not text:
            return None
        try:
            return json.loads(text)
        except ValueError:
            raise BrokenBench(
                f"{request.method} {request.target} on {self.url} answered no JSON: is this a hawkBit server? "
                f"It began with {text[:60]!r}"
            ) from None

    # -- tenant configuration (§1.6)

    def read_config(self) -> Call[JsonDict]:
        """Every key with `value` and `global`."""
        answer: JsonDict = yield from self.call("GET", "/system/configs")
        return answer

    def configure(self, settings: Mapping[str, object]) -> Call[None]:
        """Sets several keys, all or nothing."""
        if settings and not self.may_change_settings:
            raise UsageError(
                f"this would change {', '.join(sorted(settings))} for everybody on {self.url}; "
                "say --change-tenant-settings if that is meant"
            )
        if settings:
            yield from self.call("PUT", "/system/configs", dict(settings))

    def reset_config(self, key: str) -> Call[None]:
        """Back to the server's default."""
        yield from self.call("DELETE", f"/system/configs/{quote(key, safe='')}")

    # -- targets (§1.3)

    def create_targets(self, targets: Sequence[JsonDict]) -> Call[list[JsonDict]]:
        """In arrays of `CREATE_BATCH`; gives the created targets, tokens included if the account may see them."""
        created: list[JsonDict] = []
        for start in range(0, len(targets), CREATE_BATCH):
            created += yield from self.call("POST", "/targets", list(targets[start : start + CREATE_BATCH]))
        return created

    def target(self, controller_id: str) -> Call[JsonDict | None]:
        """None when there is no such target."""
        answer: JsonDict = yield from self.call("GET", _target(controller_id), expect=(200, 404))
        return answer if "controllerId" in answer else None

    def targets(self, query: str = "") -> Call[list[JsonDict]]:
        """All targets, or those that match an RSQL query."""
        return (yield from self._pages("/targets", f"&q={quote(query, safe='')}" if query else ""))

    def update_target(self, controller_id: str, change: JsonDict) -> Call[JsonDict]:
        answer: JsonDict = yield from self.call("PUT", _target(controller_id), change)
        return answer

    def delete_target(self, controller_id: str) -> Call[None]:
        yield from self.call("DELETE", _target(controller_id), expect=(200, 204, 404))

    def attributes(self, controller_id: str) -> Call[dict[str, str]]:
        """Empty when the device has sent none."""
        return (yield from self.call("GET", f"{_target(controller_id)}/attributes")) or {}

    # -- updates (§1.4)

    def create_update(self, name: str, version: str, image: bytes, filename: str) -> Call[int]:
        """A module with one artifact in a distribution set of type `os`; gives the set's id."""
        module = {"name": name, "version": version, "type": "os"}
        module_id = (yield from self.call("POST", "/softwaremodules", [module]))[0]["id"]
        yield from self.json_of(self._upload(module_id, filename, image))
        update = {"name": name, "version": version, "type": "os", "modules": [{"id": module_id}]}
        created = yield from self.call("POST", "/distributionsets", [update])
        return int(created[0]["id"])

    def delete_update(self, set_id: int) -> Call[None]:
        """The set and its modules."""
        modules = yield from self.call("GET", f"/distributionsets/{set_id}/assignedSM", expect=(200, 404))
        yield from self.call("DELETE", f"/distributionsets/{set_id}", expect=(200, 204, 404))
        for module in (modules or {}).get("content", []):
            yield from self.call("DELETE", f"/softwaremodules/{module['id']}", expect=(200, 204, 404))

    def assign(self, set_id: int, controller_ids: Sequence[str], action_type: str = "forced") -> Call[JsonDict]:
        """Assigns a set to targets; gives the server's summary."""
        body = [{"id": controller_id, "type": action_type} for controller_id in controller_ids]
        answer: JsonDict = yield from self.call("POST", f"/distributionsets/{set_id}/assignedTargets", body)
        return answer

    def actions(self, controller_id: str) -> Call[list[JsonDict]]:
        """Newest first; empty for an unknown target."""
        return (yield from self._pages(f"{_target(controller_id)}/actions", missing_ok=True))

    def cancel_action(self, controller_id: str, action_id: int) -> Call[None]:
        """A soft cancel: the device is asked."""
        yield from self.call("DELETE", f"{_target(controller_id)}/actions/{action_id}")

    def set_version(self, controller_id: str, which: str) -> Call[str | None]:
        """Version of the `assignedDS` or `installedDS`; None when there is none."""
        answer = yield from self.call("GET", f"{_target(controller_id)}/{which}")
        return None if answer is None else str(answer["version"])

    def _pages(self, path: str, more: str = "", *, missing_ok: bool = False) -> Call[list[JsonDict]]:
        found: list[JsonDict] = []
        while True:
            expect = (200, 404) if missing_ok else (200,)
            page = yield from self.call("GET", f"{path}?offset={len(found)}&limit={PAGE}{more}", expect=expect)
            content = (page or {}).get("content", [])
            found += content
            if not content or len(found) >= page["total"]:
                return found

    def _upload(self, module_id: int, filename: str, image: bytes) -> HttpRequest:
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        body = head.encode() + image + f"\r\n--{BOUNDARY}--\r\n".encode()
        headers: Headers = (
            ("Authorization", self.basic),
            ("Content-Type", f"multipart/form-data; boundary={BOUNDARY}"),
        )
        return HttpRequest(
            "POST", self._origin, f"{self._prefix}/rest/v1/softwaremodules/{module_id}/artifacts", headers, body
        )


def _target(controller_id: str) -> str:
    return f"/targets/{quote(controller_id, safe='')}"
