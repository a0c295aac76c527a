"""Answers of the management API as bytes on the wire (spec 1.0)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from fleetrig.reference_server.platforms.hono.vertx.pages import JSON, encoded
from fleetrig.simulator.contract.http import Headers, HttpResponse

NO_CONTENT: Final = 204


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers."""

    status: int = 200
    document: Any = None
    """None with status 204 only."""
    version: str = ""
    """The ETag: the version as it is, without quotes."""
    location: str = ""
    device: str = ""
    """The device concerned, for the trace."""
    changed: str = ""
    """What changed in the registry, for the trace."""


def respond(reply: Reply) -> HttpResponse:
    """A 204 says that it is JSON, too."""
    headers: Headers = (("Content-Type", JSON),)
    if reply.version:
        headers = (("ETag", reply.version), *headers)
    if reply.location:
        headers = (*headers, ("Location", reply.location))
    body = b"" if reply.status == NO_CONTENT else encoded(reply.document)
    return HttpResponse(reply.status, headers, body)
