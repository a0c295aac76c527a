"""What a request of a device asks for: its route, whom it is for, its parameters (spec 4.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import parse_qsl, unquote_plus

from fleetrig.simulator.contract.http import HttpRequest

TELEMETRY: Final = "telemetry"
EVENT: Final = "event"
COMMAND: Final = "command"
RESPONSES: Final = "res"
INTEGER: Final = re.compile(r"[+-]?[0-9]{1,9}", re.ASCII)
BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9a-fA-F]{2})")
POST_AND_PUT: Final = ("POST", "PUT")
PUT_ONLY: Final = ("PUT",)
POST_ONLY: Final = ("POST",)


@dataclass(frozen=True, slots=True)
class AdapterRoute:
    """`methods`: those that a path of this kind knows; the first segments that count are in `AdapterCall.segments`."""

    endpoint: str
    methods: tuple[str, ...]


@dataclass  # no slots: cached properties
class AdapterCall:
    """A request and what is read of it."""

    request: HttpRequest

    @cached_property
    def segments(self) -> list[str]:
        """Of the path, decoded; a slash at the end counts for nothing."""
        segments = unquote_plus(self.request.path.removeprefix("/"), errors="replace").split("/")
        while len(segments) > 1 and not segments[-1]:
            segments.pop()
        return segments

    def segment(self, at: int) -> str:
        return self.segments[at] if at < len(self.segments) else ""

    @cached_property
    def route(self) -> AdapterRoute | None:
        """None for a path that the adapter does not know."""
        match self.segments:
            case [(("telemetry" | "event") as endpoint)]:
                return AdapterRoute(endpoint, POST_AND_PUT)
            case [(("telemetry" | "event") as endpoint), *_]:
                return AdapterRoute(endpoint, PUT_ONLY)
            case ["command", "res", *_]:
                return AdapterRoute(COMMAND, POST_AND_PUT)
        return None

    @property
    def is_malformed(self) -> bool:
        return BROKEN_ESCAPE.search(self.request.path) is not None

    @cached_property
    def query(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for name, value in parse_qsl(self.request.query, keep_blank_values=True, errors="replace"):
            found.setdefault(name, value)
        return found

    def parameter(self, name: str) -> str | None:
        """A header, or else a parameter of the query."""
        header = self.request.header(name)
        return self.query.get(name) if header is None else header

    def number(self, name: str) -> int | None:
        """None for what is no integer of Java."""
        return integer_in(self.parameter(name))

    @property
    def content_type(self) -> str | None:
        """Without its parameters; None when it is not said."""
        return (self.request.header("content-type") or "").partition(";")[0].strip() or None

    @property
    def qos(self) -> int | None:
        """None for a quality of service that the endpoint does not know."""
        is_event = self.segment(0) == EVENT
        said = self.request.header("qos-level")
        level = int(is_event) if not said else integer_in(said)
        return level if level in ((1,) if is_event else (0, 1)) else None


def integer_in(text: str | None) -> int | None:
    return int(text) if text is not None and INTEGER.fullmatch(text) else None
