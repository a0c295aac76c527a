"""What a path asks for: `/api/v1/{token}/telemetry`, or without a token where a certificate says who asks.

Whatever is below `/api/v1` is one resource to the real server, which reads the segments itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import unquote

from fleetrig.simulator.contract.coap import CoapRequest

RESOURCE: Final = ["api", "v1"]
PACKAGES: Final = (["fw"], ["sw"])
FEATURE_AT: Final = 3
"""Where a feature stands behind a token; without one it stands a segment earlier."""
NUMBER: Final = re.compile(r"[+-]?[0-9]{1,9}")


class Feature(StrEnum):
    """What a path can name, in any case."""

    ATTRIBUTES = "ATTRIBUTES"
    TELEMETRY = "TELEMETRY"
    RPC = "RPC"
    CLAIM = "CLAIM"
    PROVISION = "PROVISION"


class Place(StrEnum):
    """Which of the server's resources a path belongs to."""

    DEVICE_API = "device api"
    FOLDER = "folder"
    """`/api` and `/.well-known`, which have resources below them and do nothing themselves."""
    PACKAGE = "package"
    """`/fw/{token}` and `/sw/{token}`."""
    ROOT = "root"
    DISCOVERY = "discovery"
    """`/.well-known/core`."""
    NOWHERE = "nowhere"


PLACES: Final = {
    ("api",): Place.FOLDER,
    (".well-known",): Place.FOLDER,
    (".well-known", "core"): Place.DISCOVERY,
    ("",): Place.ROOT,
    (): Place.ROOT,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A path of the device API. Without a feature it is a bad request."""

    feature: Feature | None
    token: str | None = None
    request_id: int | None = None
    """Of an RPC that the device answers."""


def place_of(request: CoapRequest) -> Place:
    segments = _segments(request)
    if segments[:2] == RESOURCE:
        return Place.DEVICE_API
    if segments[:1] in PACKAGES:
        return Place.PACKAGE
    return PLACES.get(tuple(segments), Place.NOWHERE)


def read_path(request: CoapRequest) -> Asked:
    """For a path below `/api/v1`."""
    segments = _segments(request)
    token = segments[FEATURE_AT - 1] if len(segments) > FEATURE_AT else None
    return Asked(_feature(segments), token, _request_id(segments))


def package_path(request: CoapRequest) -> tuple[str, str | None]:
    """`fw` or `sw`, and the token if the path has just that."""
    first, *rest = _segments(request)
    return first, rest[0] if len(rest) == 1 else None


def query_of(request: CoapRequest) -> dict[str, str]:
    """The first of each parameter that has a value."""
    pairs = [unquote(part).split("=", 1) for part in request.query.split("&")]
    return {pair[0]: pair[1] for pair in reversed(pairs) if len(pair) > 1 and pair[1]}


def _segments(request: CoapRequest) -> list[str]:
    return [unquote(segment) for segment in request.path.split("/")[1:]]


def _feature(segments: list[str]) -> Feature | None:
    """The fourth segment, whatever the third one is (S72, K03); of three the last one."""
    if len(segments) < FEATURE_AT:
        return None
    name = segments[FEATURE_AT if len(segments) > FEATURE_AT else FEATURE_AT - 1].upper()
    return Feature(name) if name in Feature.__members__ else None


def _request_id(segments: list[str]) -> int | None:
    number = segments[min(len(segments), FEATURE_AT + 2) - 1]
    return int(number) if NUMBER.fullmatch(number) else None
