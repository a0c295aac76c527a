"""What a handler answers, as bytes on the wire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from fleetrig.reference_server.platforms.thingsboard.http.errors import JSON, compact
from fleetrig.simulator.contract.http import Body, Headers, HttpResponse

ANY: Final = "*/*"
TEXT: Final = "text/plain;charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers: `data`, else a `document`, else a `text`, else nothing."""

    status: int = 200
    document: Any = None
    text: str | None = None
    text_type: str = ""
    """The type of the text; empty: it follows `Accept`."""
    data: Body | None = None
    """A file, of the type that `headers` say."""
    headers: Headers = ()
    device: str = ""
    """The device concerned, for the trace."""
    changed: str = ""
    """What changed in the registry, for the trace."""
    reason: str = ""
    """Why something was refused, for the trace."""


def respond(reply: Reply, accept: str | None) -> HttpResponse:
    """The response of a handler that has come to an answer."""
    if reply.data is not None:
        return HttpResponse(reply.status, reply.headers, reply.data)
    if reply.document is not None:
        return HttpResponse(reply.status, (("Content-Type", JSON),), compact(reply.document))
    if reply.text is None:
        return HttpResponse(reply.status)
    content_type = reply.text_type or type_of_text(accept)
    return HttpResponse(reply.status, (("Content-Type", content_type),), reply.text.encode("utf-8", "replace"))


def type_of_text(accept: str | None) -> str:
    """A text is given the first type that is asked for, whatever it is; JSON names no charset (S94)."""
    wanted = _wanted(accept or ANY)
    if "*" in wanted:
        return TEXT
    return wanted if wanted == JSON or "charset" in wanted else f"{wanted};charset=UTF-8"


def _wanted(accept: str) -> str:
    """The type with the highest `q`; of several the first."""
    best, most = ANY, 0.0
    for item in accept.split(","):
        media, *parameters = (part.strip() for part in item.split(";"))
        weight = _weight(parameters)
        if media and weight > most:
            best, most = media, weight
    return best


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
