"""A small hawkBit of our tests: one handler for virtual time and for a socket, scripted, with all that it received.

It is no reference: it knows as much of the contract as these tests need, written a third time, so that neither the
device's nor the server's code explains itself.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from fleetrig.simulator.contract.delivery import Delivery, Ending
from fleetrig.simulator.contract.http import Headers, HttpRequest, HttpResponse
from fleetrig.simulator.contract.session import Session

TOKEN = "fedcba98765432100123456789abcdef"
IMAGE = b"\x00\x01firmware\xfe\xff" * 100


@dataclass
class Action:
    """One assignment. `closed` counts final reports that were taken; there must never be a second."""

    id: str
    image: bytes = IMAGE
    update: str = "forced"
    canceling: bool = False
    active: bool = True
    executions: list[str] = field(default_factory=list)
    finished: str = ""


@dataclass
class Rule:
    """Instead of an answer, so many times. `commits` says that the server did its part before."""

    hits: str
    delivery: Delivery
    times: int = 1
    commits: bool = False


class StubHawkbit:
    """`handle` is a `Handler`. Devices come into being when they call; one list of actions serves them all alike."""

    def __init__(self, *, sleep: str = "00:00:01", asks_attributes: bool = True) -> None:
        self.sleep = sleep
        self.asks_attributes = asks_attributes
        self.requests: list[HttpRequest] = []
        self.keeps_requests = True
        self.attributes: dict[str, dict[str, Any]] = {}
        self.actions: dict[str, list[Action]] = {}
        self.rules: list[Rule] = []
        self.refuses: set[str] = set()
        """Controller ids whose token is wrong for now."""
        self.on_request: Callable[[HttpRequest], None] = lambda request: None

    def assign(self, controller_id: str, action: Action) -> Action:
        self.actions.setdefault(controller_id, []).append(action)
        return action

    def instead(
        self,
        hits: str,
        status: int | None = None,
        *,
        ending: Ending = Ending.WHOLE,
        headers: Headers = (),
        body: bytes = b"",
        delay_us: int = 0,
        cut_after_bytes: int | None = None,
        times: int = 1,
        commits: bool = False,
    ) -> None:
        """The next requests that match (`METHOD path`, a glob) get this."""
        response = None if status is None else HttpResponse(status, headers, body)
        self.rules.append(Rule(hits, Delivery(response, ending, delay_us, cut_after_bytes), times, commits))

    def handle(self, request: HttpRequest, session: Session, now_us: int) -> Delivery:
        if self.keeps_requests:
            self.requests.append(request)
        self.on_request(request)
        rule = next(
            (r for r in self.rules if r.times and fnmatchcase(f"{request.method} {request.path}", r.hits)), None
        )
        if rule is None:
            return Delivery(self._answer(request))
        rule.times -= 1
        answer = self._answer(request) if rule.commits else None
        if rule.delivery.ending is Ending.TRUNCATED:
            answer = self._answer(request)
            return Delivery(answer, Ending.TRUNCATED, 0, rule.delivery.cut_after_bytes)
        if rule.delivery.response is None and rule.delivery.ending is Ending.WHOLE:
            return Delivery(answer or self._answer(request), Ending.WHOLE, rule.delivery.delay_us)
        return rule.delivery

    def asked(self, pattern: str) -> list[HttpRequest]:
        return [r for r in self.requests if fnmatchcase(f"{r.method} {r.target}", pattern)]

    def _answer(self, request: HttpRequest) -> HttpResponse:
        found = re.fullmatch(r"/DEFAULT/controller/v1/([^/]+)(?:/(.*))?", request.path)
        if found is None:
            return HttpResponse(404)
        device, rest = found[1], found[2] or ""
        if device in self.refuses or request.header("Authorization") != f"TargetToken {TOKEN}":
            return HttpResponse(401)
        base = f"{request.origin}/DEFAULT/controller/v1/{device}"
        match rest.split("/"):
            case [""]:
                return _json(self._poll(device, base))
            case ["configData"]:
                self.attributes[device] = json.loads(_body(request))["data"]
                return HttpResponse(200)
            case ["deploymentBase", action_id, *more]:
                return self._deployment(self._action(device, action_id), base, bool(more), request)
            case ["cancelAction", action_id, *more]:
                return self._cancel(self._action(device, action_id), bool(more), request)
            case ["artifacts", action_id]:
                return _ranged(self._action(device, action_id).image, request.header("Range"))
        return HttpResponse(404)

    def _action(self, device: str, action_id: str) -> Action:
        return next(action for action in self.actions[device] if action.id == action_id)

    def _poll(self, device: str, base: str) -> dict[str, Any]:
        links: dict[str, Any] = {}
        current = next((action for action in self.actions.get(device, []) if action.active), None)
        if current is not None and current.canceling:
            links["cancelAction"] = {"href": f"{base}/cancelAction/{current.id}"}
        elif current is not None:
            links["deploymentBase"] = {"href": f"{base}/deploymentBase/{current.id}?c=-{current.id}"}
        if self.asks_attributes and device not in self.attributes:
            links["configData"] = {"href": f"{base}/configData"}
        return {"config": {"polling": {"sleep": self.sleep}}, "_links": links}

    def _deployment(self, action: Action, base: str, is_feedback: bool, request: HttpRequest) -> HttpResponse:
        if is_feedback:
            return _take(action, request)
        if action.canceling:
            return HttpResponse(404)
        hashes = {name: hashlib.new(name, action.image).hexdigest() for name in ("sha1", "md5", "sha256")}
        links = {"download-http": {"href": f"{base}/artifacts/{action.id}"}}
        artifact = {"filename": f"{action.id}.bin", "hashes": hashes, "size": len(action.image), "_links": links}
        chunk = {"part": "os", "version": "1", "name": "fw", "artifacts": [artifact]}
        plan = {"download": "forced", "update": action.update, "chunks": [chunk]}
        return _json({"id": action.id, "deployment": plan})

    def _cancel(self, action: Action, is_feedback: bool, request: HttpRequest) -> HttpResponse:
        if not is_feedback:
            return _json({"id": action.id, "cancelAction": {"stopId": action.id}})
        execution = json.loads(_body(request))["status"]["execution"]
        action.executions.append(f"cancel-{execution}")
        action.canceling = False
        action.active = execution != "closed"
        return HttpResponse(200)


def _take(action: Action, request: HttpRequest) -> HttpResponse:
    if not action.active:
        return HttpResponse(410)
    status = json.loads(_body(request))["status"]
    action.executions.append(status["execution"])
    if status["execution"] == "closed":
        action.active, action.finished = False, status["result"]["finished"]
    if status["execution"] == "downloaded" and action.update == "download-only":
        action.active = False
    return HttpResponse(200)


def _ranged(image: bytes, wanted: str | None) -> HttpResponse:
    if wanted is None:
        return HttpResponse(200, (("Accept-Ranges", "bytes"),), image)
    start = int(wanted.removeprefix("bytes=").partition("-")[0])
    if start >= len(image):
        return HttpResponse(416, (("Content-Range", f"bytes */{len(image)}"),))
    return HttpResponse(206, (("Content-Range", f"bytes {start}-{len(image) - 1}/{len(image)}"),), image[start:])


def _body(request: HttpRequest) -> bytes:
    assert isinstance(request.body, bytes)
    return request.body


def _json(document: object) -> HttpResponse:
    return HttpResponse(200, (("Content-Type", "application/json"),), json.dumps(document).encode())
