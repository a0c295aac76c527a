"""Does an event fit what a check describes? Globs for text, dotted paths into JSON bodies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.http import FileSlice, HttpRequest, HttpResponse
from fleetrig.simulator.contract.trace import Lane, TraceEvent

MISSING = object()


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a check looks for: `sent`, `received`, `no_reply` or `entered`, of the device lane, or of the server's.

    Empty fields match everything. `name` is what the device calls the exchange (`poll`, `configData`, `feedback-*`).
    """

    kind: str
    name: str = ""
    method: str = ""
    path: str = ""
    device: str = "*"
    status: int | None = None
    stage: str = ""
    header: Mapping[str, str] = field(default_factory=dict)
    body_has: Mapping[str, Any] = field(default_factory=dict)
    lane: Lane = Lane.DEVICE

    def fits(self, event: TraceEvent) -> bool:
        if event.lane != self.lane or event.kind != self.kind:
            return False
        if self.device != "*" and not fnmatchcase(event.device, self.device):
            return False
        if self.name and not fnmatchcase(event.name, self.name):
            return False
        if self.stage and event.stage != self.stage:
            return False
        match event.envelope:
            case HttpRequest() as request:
                return self._fits_request(request)
            case HttpResponse() as response:
                return self._fits_response(response)
            case _:
                return not (self.method or self.path or self.status or self.header or self.body_has)

    def _fits_request(self, request: HttpRequest) -> bool:
        return (
            (not self.method or request.method == self.method)
            and (not self.path or fnmatchcase(request.path, self.path) or fnmatchcase(request.target, self.path))
            and self._fits_content(request)
        )

    def _fits_response(self, response: HttpResponse) -> bool:
        return (self.status is None or response.status == self.status) and self._fits_content(response)

    def _fits_content(self, envelope: HttpRequest | HttpResponse) -> bool:
        for name, glob in self.header.items():
            value = envelope.header(name)
            if value is None or not fnmatchcase(value, glob):
                return False
        return not self.body_has or body_has(envelope, self.body_has)

    def __str__(self) -> str:
        words = {
            "sent": "sends",
            "received": "receives",
            "no_reply": "gets no reply to",
            "entered": f"reaches {self.stage}",
        }
        parts = [self.name, self.method, self.path, str(self.status or "")]
        parts += [f"{name}: {glob}" for name, glob in self.header.items()]
        parts += [f"{path} = {value!r}" for path, value in self.body_has.items()]
        return " ".join([words.get(self.kind, self.kind), *filter(None, parts)])


def body_has(envelope: HttpRequest | HttpResponse, wanted: Mapping[str, Any]) -> bool:
    """True when the JSON body holds every wanted value; a wanted None means that the path must be absent."""
    if isinstance(envelope.body, FileSlice):
        return False
    try:
        document = json.loads(body_bytes(envelope.body))
    except ValueError:
        return False
    return all(same(at_path(document, path), value) for path, value in wanted.items())


def same(got: object, wanted: object) -> bool:
    """Equal and of the same kind (true is not 1), a glob that fits, or both absent."""
    match wanted:
        case None:
            return got is MISSING or got is None
        case str():
            return isinstance(got, str) and fnmatchcase(got, wanted)
        case bool():
            return got is wanted
        case int() | float():
            return not isinstance(got, bool) and got == wanted
        case Mapping():
            return isinstance(got, Mapping) and got.keys() == wanted.keys() and all(
                same(got[key], value) for key, value in wanted.items()
            )  # fmt: skip
        case list() | tuple():
            return isinstance(got, list) and len(got) == len(wanted) and all(map(same, got, wanted))
        case _:
            return got == wanted


def at_path(document: object, path: str) -> object:
    """`status.result.finished` inside a JSON document; list positions are numbers; MISSING when it is not there.

    A key that holds dots itself (`data.hw.revision`) is found too.
    """
    match document:
        case dict() if path in document:
            return document[path]
        case dict() | list():
            head, _, rest = path.partition(".")
            inner = step_into(document, head)
            return at_path(inner, rest) if rest and inner is not MISSING else inner
        case _:
            return MISSING


def step_into(here: dict[str, object] | list[object], key: str) -> object:
    match here:
        case dict():
            return here.get(key, MISSING)
        case list() if key.isdecimal() and int(key) < len(here):
            return here[int(key)]
        case _:
            return MISSING
