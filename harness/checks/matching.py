"""Does an event fit what a check describes? Globs for text, dotted paths into JSON bodies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

from fleetrig.harness.servers.json_answer import NotJson, read_json
from fleetrig.simulator.contract.envelope import Envelope, payload_of
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.trace import Lane, TraceEvent

MISSING = object()
ANYTHING: Final = ("", "*")


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
    line: str = ""
    """Glob over the one line by which the trace speaks of it: `GET /a`, `PUBLISH v1/devices/me/telemetry`, `2.05`."""
    header: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str | None] = field(default_factory=dict)
    """Fields of MQTT or CoAP (`user_name`, `qos`), and a glob for each; None: empty, or not there."""
    body_has: Mapping[str, Any] = field(default_factory=dict)
    read_body: Callable[[bytes], object] = read_json
    """What `body_has` looks into. Raises NotJson."""
    lane: Lane | None = Lane.DEVICE
    """None: whichever the view gives, for a fleet in which boards play some of the devices."""

    def fits(self, event: TraceEvent) -> bool:
        if event.kind != self.kind or self.lane not in (event.lane, None):
            return False
        if self.device != "*" and not fnmatchcase(event.device, self.device):
            return False
        if self.name not in ANYTHING and not fnmatchcase(event.name, self.name):
            return False
        if self.stage and event.stage != self.stage:
            return False
        if not (self.line or self.method or self.path or self.status or self.header or self.fields or self.body_has):
            return True
        envelope = event.envelope
        return (
            envelope is not None
            and (not self.line or fnmatchcase(envelope.line, self.line))
            and self._fits_http(envelope)
            and has_fields(envelope, self.fields)
            and (not self.body_has or body_has(envelope, self.body_has, self.read_body))
        )

    def _fits_http(self, envelope: Envelope) -> bool:
        """Compares the fields that only HTTP has; other protocols are matched by `line`."""
        match envelope:
            case HttpRequest():
                return (
                    (not self.method or envelope.method == self.method)
                    and (
                        not self.path
                        or fnmatchcase(envelope.path, self.path)
                        or fnmatchcase(envelope.target, self.path)
                    )
                    and has_headers(envelope, self.header)
                )
            case HttpResponse():
                return (self.status is None or envelope.status == self.status) and has_headers(envelope, self.header)
            case _:
                return not (self.method or self.path or self.status or self.header)

    def __str__(self) -> str:
        words = {
            "sent": "sends",
            "received": "receives",
            "no_reply": "gets no reply to",
            "entered": f"reaches {self.stage}",
        }
        parts = [self.name, self.line, self.method, self.path, str(self.status or "")]
        parts += [f"{name}: {glob}" for name, glob in self.header.items()]
        parts += [f"{name} {'(none)' if glob is None else glob}" for name, glob in self.fields.items()]
        parts += [f"{path} = {value!r}" for path, value in self.body_has.items()]
        said = " ".join([words.get(self.kind, self.kind), *filter(None, parts)])
        return said.removesuffix(" to") if self.kind == "no_reply" else said


def has_headers(envelope: HttpRequest | HttpResponse, wanted: Mapping[str, str]) -> bool:
    """True when each header is there with a value that fits its glob."""
    values = ((envelope.header(name), glob) for name, glob in wanted.items())
    return all(value is not None and fnmatchcase(value, glob) for value, glob in values)


def has_fields(envelope: Envelope, wanted: Mapping[str, str | None]) -> bool:
    """True when each field fits its glob, as text; for None it must be empty, or the envelope has no such field."""
    return all(_field_fits(getattr(envelope, name, None), glob) for name, glob in wanted.items())


def _field_fits(value: object, glob: str | None) -> bool:
    if glob is None:
        return value is None or value in ("", b"")
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return value is not None and fnmatchcase(text, glob)


def body_has(envelope: Envelope, wanted: Mapping[str, Any], read_body: Callable[[bytes], object] = read_json) -> bool:
    """True when the body holds every wanted value; a wanted None means that the path must be absent."""
    payload = payload_of(envelope)
    if not isinstance(payload, bytes):
        return False
    try:
        document = read_body(payload)
    except NotJson:
        return False
    return all(same(at_path(document, path), value) for path, value in wanted.items())


def body_difference(envelope: Envelope, wanted: Mapping[str, Any], read_body: Callable[[bytes], object]) -> str:
    """`temperature is the number 21.5`: the first path that differs. Texts are not told, which can be secrets."""
    payload = payload_of(envelope)
    try:
        document = read_body(payload) if isinstance(payload, bytes) else MISSING
    except NotJson:
        return ""
    differ = ((path, at_path(document, path)) for path, value in wanted.items())
    found = next(((path, got) for path, got in differ if not same(got, wanted[path])), None)
    return f"{found[0]} is {_kind_of(found[1])}" if found is not None else ""


def _kind_of(got: object) -> str:
    match got:
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[got]
        case int() | float():
            return f"the number {got}"
        case str():
            return "another text"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case _:
            return "not there"


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
