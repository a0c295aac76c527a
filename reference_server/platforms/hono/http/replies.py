"""Answers of the HTTP adapter as bytes on the wire (spec 4.1)."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.hono.commands.device_command import DeviceCommand
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.reference_server.platforms.hono.vertx.pages import error_response
from fleetrig.simulator.contract.http import Headers, HttpResponse

TEXT: Final = "text/plain; charset=utf-8"
OCTET_STREAM: Final = "application/octet-stream"
ACCEPTED: Final = HttpResponse(202)
RETRY_AFTER: Final = ("Retry-After", "2")
CHALLENGES: Final[Headers] = (
    ("WWW-Authenticate", 'Bearer realm="Hono"'),
    ("WWW-Authenticate", 'Basic realm="Hono"'),
)
BASIC_CHALLENGE: Final = CHALLENGES[1:]
"""Generation 1 knows no tokens."""


def error_answer(registry: Registry, status: int, error: str, headers: Headers = ()) -> HttpResponse:
    if not registry.traits.has_json_errors:
        return HttpResponse(status, (*headers, ("Content-Type", TEXT)), error.encode()) if error else (
            HttpResponse(status, headers)
        )  # fmt: skip
    return error_response(status, error, headers)


def command_answer(command: DeviceCommand) -> HttpResponse:
    """The message was accepted, and there is a command. A gateway learns for which device it is."""
    headers: list[tuple[str, str]] = [("hono-command", command.name)]
    if not command.is_one_way:
        headers.append(("hono-cmd-req-id", command.request_id))
    if command.gateway_id:
        headers.append(("hono-cmd-target-device", command.device_id))
    if command.payload:
        headers.append(("Content-Type", command.content_type or OCTET_STREAM))
    return HttpResponse(200, tuple(headers), command.payload)
