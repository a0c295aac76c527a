"""Does an event fit what a check describes? Globs for text, dotted paths into JSON bodies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from simulator.contract.bodies import body_bytes
from simulator.contract.trace import Lane, TraceEvent
from simulator.contract.wire import FileSlice, HttpRequest, HttpResponse

MISSING = object()


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a check looks for. `kind` is `sent`, `received`, `no_reply` or `entered` of the device lane.

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

    def fits(self, event: TraceEvent) -> bool:
        if event.lane is not Lane.DEVICE or event.kind != self.kind:
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
    """Equal, a glob that fits, or both absent."""
    if wanted is None:
        return got is MISSING or got is None
    if isinstance(wanted, str) and isinstance(got, str):
        return fnmatchcase(got, wanted)
    return got == wanted


def at_path(document: object, path: str) -> object:
    """`status.result.finished` inside a JSON document; list positions are numbers; MISSING when it is not there."""
    here = document
    for key in path.split("."):
        match here:
            case dict() if key in here:
                here = here[key]
            case list() if key.isdigit() and int(key) < len(here):
                here = here[int(key)]
            case _:
                return MISSING
    return here
