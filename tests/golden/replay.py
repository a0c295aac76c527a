"""Recorded exchanges against a server in memory. Time is virtual: `wait` and `within` move the clock."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cbor2

from fleetrig.reference_server.server import Server
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US, to_us
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse, body_length
from fleetrig.simulator.contract.session import Session
from tests.golden.placeholders import Bindings, Differs

ORIGIN = "http://127.0.0.1:8080"
PEER = "127.0.0.1"
STEP_US = 1_000
RETRY_US = 500_000
BOUNDARY = "a-boundary-of-the-replay"


@dataclass(frozen=True)
class Exchange:
    """One recorded exchange and how to play it."""

    row: str
    step: int
    name: str
    request: dict[str, Any]
    response: dict[str, Any]
    wait_s: float = 0
    within_s: float = 0
    repeat: int = 1
    distinct: int = 1


def read_rows(path: Path) -> dict[str, list[Exchange]]:
    """Row name -> its exchanges in order."""
    rows: dict[str, list[Exchange]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        exchange = _exchange(json.loads(line))
        rows.setdefault(exchange.row, []).append(exchange)
    return {row: sorted(exchanges, key=lambda exchange: exchange.step) for row, exchanges in rows.items()}


def _exchange(line: dict[str, Any]) -> Exchange:
    known = {"row", "step", "name", "request", "response", "wait", "within", "repeat", "distinct", "attempts"}
    assert line.keys() <= known, f"unknown keys {sorted(line.keys() - known)}"
    return Exchange(line["row"], line["step"], line["name"], line["request"], line["response"], line.get("wait", 0),
                    line.get("within", 0), line.get("repeat", 1), line.get("distinct", 1))  # fmt: skip


@dataclass
class Replay:
    """Plays rows on one server; every row gets names of its own."""

    server: Server
    accounts: dict[str, str]
    """User -> password."""
    now_us: int = VIRTUAL_EPOCH_US
    _rows: Iterator[int] = field(default_factory=lambda: iter(range(1, 1_000_000)))

    def play(self, exchanges: list[Exchange]) -> None:
        """Raises Differs with the step at the first answer that is not the recorded one."""
        number = next(self._rows)
        bindings = Bindings(
            {
                "run": f"r{number:06x}",
                "base": ORIGIN,
                "host": ORIGIN.removeprefix("http://"),
                "peer": PEER,
                "pubip": f"203.0.113.{number % 250 + 1}",
                "pubip2": f"198.51.100.{number % 250 + 1}",
                **{f"basic.{user}": basic(user, password) for user, password in self.accounts.items()},
            }
        )
        for exchange in exchanges:
            try:
                self._step(exchange, bindings)
            except Differs as difference:
                raise Differs(f"{exchange.row} step {exchange.step} ({exchange.name}): {difference}") from None

    def send(self, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> HttpResponse:
        """One request, a millisecond after the last one; what is due by itself happens before it."""
        self.let_pass(STEP_US)
        sent = (("Host", ORIGIN.removeprefix("http://")), *headers.items(), ("Content-Length", str(len(body))))
        request = HttpRequest(method, ORIGIN, target, sent, body)
        response = self.server.exchange(request, Session(PEER), self.now_us).response
        assert response is not None
        return response

    def let_pass(self, span_us: int) -> None:
        until_us = self.now_us + span_us
        while (due_us := self.server.next_due_us()) is not None and due_us <= until_us:
            self.now_us = max(self.now_us, due_us)
            self.server.advance(self.now_us)
        self.now_us = until_us

    def _step(self, exchange: Exchange, bindings: Bindings) -> None:
        self.let_pass(to_us(exchange.wait_s))
        bodies = {self._until_it_agrees(exchange, bindings) for _ in range(exchange.repeat)}
        if len(bodies) < exchange.distinct:
            raise Differs(f"{len(bodies)} different answers, expected {exchange.distinct}")

    def _until_it_agrees(self, exchange: Exchange, bindings: Bindings) -> bytes:
        deadline_us = self.now_us + to_us(exchange.within_s)
        while True:
            bindings.now_us = self.now_us
            response = self._exchange(exchange, bindings)
            data = body_bytes(response.body)
            try:
                compare(exchange.response, response, data, bindings)
            except Differs:
                bindings.fresh = {}
                if self.now_us >= deadline_us:
                    raise
                self.let_pass(RETRY_US)
                continue
            bindings.keep()
            return data

    def _exchange(self, exchange: Exchange, bindings: Bindings) -> HttpResponse:
        request = exchange.request
        headers = {name: bindings.fill(value) for name, value in request.get("headers", {}).items()}
        body = b""
        if "form" in request:
            headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
            body = _form(request["form"], bindings.fill)
        elif isinstance(text := request.get("body"), str):
            body = bindings.fill(text).encode()
        elif text is not None:
            body = json.dumps(bindings.fill(text)).encode()
        return self.send(request["method"], bindings.fill(request["path"]), headers, body)


def compare(expected: dict[str, Any], response: HttpResponse, data: bytes, bindings: Bindings) -> None:
    """Status, named headers, headers that must not be there, then the body. Raises Differs."""
    if response.status != expected["status"]:
        raise Differs(f"status: expected {expected['status']}, got {response.status} {data[:300]!r}")
    for name, template in expected.get("headers", {}).items():
        _compare_header(name, template, response, data, bindings)
    for name in expected.get("absent", ()):
        if response.header(name) is not None:
            raise Differs(f"header {name}: expected none, got {response.header(name)!r}")
    if "cbor" in expected:
        bindings.compare(expected["cbor"], cbor2.loads(data), "body")
    elif "has" in expected:
        document = json.loads(data)
        bindings.compare(expected["has"], {key: document.get(key) for key in expected["has"]}, "body")
    elif isinstance(expected.get("body"), str):
        bindings.compare_text(expected["body"], data.decode("utf-8", "replace"), "body")
    elif "body" in expected:
        bindings.compare(expected["body"], json.loads(data), "body")


def _compare_header(name: str, template: str, response: HttpResponse, data: bytes, bindings: Bindings) -> None:
    got = response.header(name)
    if got is None and name.lower() == "content-length":
        got = str(body_length(response.body))
    if got is None:
        raise Differs(f"header {name}: expected {template!r}, got none")
    if template.startswith("${etag") and data and got != f'"0{hashlib.md5(data).hexdigest()}"':
        raise Differs(f"header {name}: {got!r} is not made from the body")
    bindings.compare_text(template, got, f"header {name}")


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _form(parts: list[dict[str, str]], fill: Callable[[Any], Any]) -> bytes:
    lines = []
    for part in parts:
        file_name = f'; filename="{part["filename"]}"' if "filename" in part else ""
        lines += [f"--{BOUNDARY}", f'Content-Disposition: form-data; name="{part["name"]}"{file_name}',
                  "Content-Type: application/octet-stream", "", fill(part["data"])]  # fmt: skip
    return "\r\n".join([*lines, f"--{BOUNDARY}--", ""]).encode()
