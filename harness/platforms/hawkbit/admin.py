"""hawkBit's Management API as the harness uses it: each call a generator of Asks, so it runs in virtual and real time.

Only what is public (§1). Raises `BrokenBench` with the first cause when the server cannot be used.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Generator, Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import quote

from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from fleetrig.simulator.contract.http import Headers, HttpRequest, HttpResponse, split_url
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.effects import Ask, NoReply, Outcome, Reply

T = TypeVar("T")
P = TypeVar("P")
Call = Generator[Ask, Outcome, T]

ADMIN_WITHIN_S: Final = 30.0
FIRST_ANSWER_WITHIN_S: Final = 5.0
"""So long a server may take to show that it is there at all."""
CREATE_BATCH: Final = 1_000
PAGE: Final = 500
BOUNDARY: Final = "fleetrig-7d1f3a5b9c"

JsonDict = dict[str, Any]
GONE_OK: Final = (200, 204, 404)

NO_ANSWER: Final = {
    "refused": "nobody listens at {url} (connection refused): is it running, and is the port right?",
    "timeout": "{url} does not answer: is the address right?",
    "tls": "{url} shows a certificate that nobody here trusts, or speaks no TLS: --ca FILE names its authority",
    "unreachable": "{url} cannot be reached: is the name right and the network up?",
}
"""Sentences for the words of `NoReply`."""

KINDS: Final = {dict: "object", list: "list", str: "text", int: "number"}


class NoAnswer(BrokenBench):
    """The server cannot be reached at all, or does not speak HTTP: asking on is of no use."""


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

    def send(self, request: HttpRequest, within_s: float = ADMIN_WITHIN_S) -> Call[HttpResponse]:
        """Any answer, as long as there is one and the account is accepted."""
        answer = yield Ask("admin", request, within_s)
        match answer:
            case Reply(HttpResponse(status=401)):
                raise BrokenBench(
                    f"{self.url} does not accept the account {self.account.user!r}: check user and password"
                )
            case Reply(HttpResponse() as response) if 300 <= response.status < 400:
                raise BrokenBench(f"{self.url} redirects to {response.header('Location')}: give that address instead")
            case Reply(HttpResponse() as response):
                return response
            case NoReply(why):
                otherwise = f"whatever listens at {{url}} does not answer HTTP ({why}): are scheme and port right?"
                raise NoAnswer(NO_ANSWER.get(why, otherwise).format(url=self.url))
            case _:
                raise AssertionError(f"a driver answered Ask with {answer!r}")

    def greet(self) -> Call[None]:
        """Finds out at once whether there is a hawkBit server that accepts the account. Raises BrokenBench."""
        request = self.request("GET", "/targets?limit=1")
        page = self._read(request, (yield from self.send(request, FIRST_ANSWER_WITHIN_S)), (200,))
        self._part(page, int, "total")

    def call(self, method: str, path: str, body: object = None, expect: Sequence[int] = (200, 201, 204)) -> Call[Any]:
        """The JSON of an answer with an expected status; None when it has no body."""
        return (yield from self.json_of(self.request(method, path, body), expect))

    def json_of(self, request: HttpRequest, expect: Sequence[int] = (200, 201, 204)) -> Call[Any]:
        return self._read(request, (yield from self.send(request)), expect)

    def _read(self, request: HttpRequest, response: HttpResponse, expect: Sequence[int]) -> Any:
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

    def _part(self, document: Any, kind: type[P], *path: str | int) -> P:
        """A part of an answer that it cannot be without. Raises BrokenBench."""
        here = document
        try:
            for key in path:
                here = here[key]
        except (LookupError, TypeError):
            here = None
        if isinstance(here, kind):
            return here
        what = ".".join(map(str, path)) or "an answer"
        raise BrokenBench(
            f"{self.url} gives no {KINDS[kind]} as {what} where hawkBit does: is this a hawkBit server? "
            f"It said {json.dumps(document)[:200]}"
        )

    # -- tenant configuration (§1.6)

    def read_config(self) -> Call[JsonDict]:
        """Every key with `value` and `global`."""
        answer = self._part((yield from self.call("GET", "/system/configs")), dict)
        return {key: self._part(answer, dict, key) for key in answer}

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
            answer = yield from self.call("POST", "/targets", list(targets[start : start + CREATE_BATCH]))
            created += self._part(answer, list)
        return created

    def target(self, controller_id: str) -> Call[JsonDict | None]:
        """None when there is no such target."""
        response = yield from self.send(request := self.request("GET", _target(controller_id)))
        if response.status == 404:
            return None
        found: JsonDict = self._read(request, response, (200,))
        self._part(found, str, "controllerId")
        return found

    def targets(self, query: str = "") -> Call[list[JsonDict]]:
        """All targets, or those that match an RSQL query."""
        return (yield from self.search("/targets", query))

    def update_target(self, controller_id: str, change: JsonDict) -> Call[JsonDict]:
        return self._part((yield from self.call("PUT", _target(controller_id), change)), dict)

    def delete_target(self, controller_id: str) -> Call[None]:
        yield from self.delete(_target(controller_id))

    def attributes(self, controller_id: str) -> Call[dict[str, str]]:
        """Empty when the device has sent none."""
        found = yield from self.call("GET", f"{_target(controller_id)}/attributes")
        return {} if found is None else self._part(found, dict)

    # -- updates (§1.4)

    def create_update(self, name: str, version: str, image: bytes, filename: str) -> Call[int]:
        """A module with one artifact in a distribution set of type `os`; gives the set's id."""
        module = {"name": name, "version": version, "type": "os"}
        module_id = self._part((yield from self.call("POST", "/softwaremodules", [module])), int, 0, "id")
        yield from self.json_of(self._upload(module_id, filename, image))
        update = {"name": name, "version": version, "type": "os", "modules": [{"id": module_id}]}
        created = yield from self.call("POST", "/distributionsets", [update])
        return self._part(created, int, 0, "id")

    def assign(self, set_id: int, controller_ids: Sequence[str], action_type: str = "forced") -> Call[JsonDict]:
        """Assigns a set to targets; gives the server's summary."""
        body = [{"id": controller_id, "type": action_type} for controller_id in controller_ids]
        return self._part((yield from self.call("POST", f"/distributionsets/{set_id}/assignedTargets", body)), dict)

    def actions(self, controller_id: str) -> Call[list[JsonDict]]:
        """Newest first, with `status` and `active` as current releases tell them; empty for an unknown target."""
        found = yield from self._pages(f"{_target(controller_id)}/actions", missing_ok=True)
        return [_of_current_release(action) for action in found]

    def action_set(self, controller_id: str, action_id: int) -> Call[int]:
        """The id of the distribution set that an action assigned."""
        action = yield from self.call("GET", f"{_target(controller_id)}/actions/{action_id}")
        href = self._part(action, str, "_links", "distributionset", "href")
        return int(href.rpartition("/")[2])

    def cancel_action(self, controller_id: str, action_id: int) -> Call[None]:
        """A soft cancel: the device is asked."""
        yield from self.call("DELETE", f"{_target(controller_id)}/actions/{action_id}")

    def set_version(self, controller_id: str, which: str) -> Call[str | None]:
        """Version of the `assignedDS` or `installedDS`; None when there is none."""
        answer = yield from self.call("GET", f"{_target(controller_id)}/{which}")
        return None if answer is None else self._part(answer, str, "version")

    # -- anything

    def search(self, path: str, query: str = "") -> Call[list[JsonDict]]:
        """Everything in a list that matches an RSQL query."""
        return (yield from self._pages(path, f"&q={quote(query, safe='')}" if query else ""))

    def delete(self, path: str) -> Call[None]:
        """What is gone already need not be deleted."""
        yield from self.call("DELETE", path, expect=GONE_OK)

    def _pages(self, path: str, more: str = "", *, missing_ok: bool = False) -> Call[list[JsonDict]]:
        found: list[JsonDict] = []
        while True:
            request = self.request("GET", f"{path}?offset={len(found)}&limit={PAGE}{more}")
            response = yield from self.send(request)
            if missing_ok and response.status == 404:
                return found
            page = self._read(request, response, (200,))
            content = self._part(page, list, "content")
            found += [self._part(content, dict, position) for position in range(len(content))]
            if not content or len(found) >= self._part(page, int, "total"):
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


def _of_current_release(action: JsonDict) -> JsonDict:
    """Up to 0.9 `status` told whether an action was over, and `detailStatus` its own."""
    if "detailStatus" not in action:
        return action
    return {**action, "status": action["detailStatus"], "active": action.get("status") == "pending"}


def _target(controller_id: str) -> str:
    return f"/targets/{quote(controller_id, safe='')}"
