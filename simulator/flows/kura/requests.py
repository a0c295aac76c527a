"""A request to a gateway, its answer, and how a handler says no (spec 2.5, 2.6)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from fleetrig.simulator.effects import Effect, Outcome
from fleetrig.simulator.flows.kura.life import GatewayLife
from fleetrig.simulator.flows.kura.payload import KuraPayload, Metric

REQUEST_ID: Final = "request.id"
REQUESTER: Final = "requester.client.id"
RESPONSE_CODE: Final = "response.code"
EXCEPTION_MESSAGE: Final = "response.exception.message"
OK, BAD_REQUEST, NOT_FOUND, ERROR = 200, 400, 404, 500
METHODS: Final = {"GET": "get", "PUT": "put", "POST": "post", "DEL": "delete", "EXEC": "exec"}
"""Method -> how the framework calls it in its texts."""


class Request(NamedTuple):
    """What a control message asks for."""

    app_id: str
    method: str
    resources: tuple[str, ...]
    payload: KuraPayload
    request_id: str
    requester: str

    @property
    def body(self) -> bytes:
        return self.payload.body or b""


@dataclass(frozen=True, slots=True)
class Answer:
    code: int = OK
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    body: bytes | None = None


class RequestRefused(Exception):
    """The handler says no; the dispatcher makes the answer of it. `text` is what the framework says."""

    def __init__(self, code: int, text: str | None = None) -> None:
        super().__init__(text or str(code))
        self.code = code
        self.text = text


Handling = Generator[Effect, Outcome, Answer | None]
"""None: the handler returns nothing, and nothing is sent."""
Handler = Callable[[GatewayLife, Request], Handling]


def bad_argument() -> RequestRefused:
    """400 without a word: a library's own complaint."""
    return RequestRefused(BAD_REQUEST)


def bad_request() -> RequestRefused:
    """The text is literally that (spec 2.6)."""
    return RequestRefused(BAD_REQUEST, "Bad request. {0}")


def not_found() -> RequestRefused:
    return RequestRefused(NOT_FOUND, "Not found.")


def not_offered(method: str) -> RequestRefused:
    """The method is known, but not to this handler."""
    return RequestRefused(ERROR, f"Operation {METHODS[method]} not supported.")


def failed() -> RequestRefused:
    """Some exception of the handler's own: there is no text."""
    return RequestRefused(ERROR)


def no_more_than(request: Request, most: int) -> tuple[str, ...]:
    """The resources. Refuses a request without any, and one with too many."""
    if not request.resources or len(request.resources) > most:
        raise bad_request()
    return request.resources
