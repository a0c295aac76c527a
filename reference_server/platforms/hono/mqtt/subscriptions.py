"""What a device may subscribe to: commands, and errors of what it publishes (CommandSubscription, ErrorSubscription).

Filters mean nothing but that: each is read once and kept by the device that it is for, whatever its spelling.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fleetrig.reference_server.platforms.hono.commands.device_command import DeviceCommand
from fleetrig.reference_server.platforms.hono.mqtt.topics import segments_of

REQUEST_PARTS: Final = frozenset({"req", "q"})
ERROR_ENDPOINTS: Final = frozenset({"error", "e"})
ANY_DEVICE: Final = "+"
NO_CORRELATION: Final = "-1"
SHOWN_ENDPOINTS: Final = {
    "telemetry": "telemetry",
    "t": "t",
    "event": "event",
    "e": "e",
    "command": "command-response",
    "c": "c-s",
}
"""First segment of the topic that a message was published to -> what the topic of its error says."""


class SubscriptionKind(StrEnum):
    COMMANDS = "commands"
    ERRORS = "errors"


SubscriptionKey = tuple[SubscriptionKind, str]
"""And the device that it is for: a later subscription of the same key replaces an earlier one."""


@dataclass(frozen=True, slots=True)
class AdapterSubscription:
    """A filter as it was written, and what it means. `device_id`: the connected device, or one behind it."""

    kind: SubscriptionKind
    segments: tuple[str, ...]
    device_id: str
    qos: int

    @property
    def key(self) -> SubscriptionKey:
        return self.kind, self.device_id

    @property
    def is_for_all(self) -> bool:
        """A gateway wants the commands of all devices behind it, and its own."""
        return self.segments[2] == ANY_DEVICE

    @property
    def _shown_device(self) -> str:
        """As the topics of its messages have it when it is for the device itself."""
        return "" if self.is_for_all else self.segments[2]

    def command_topic(self, command: DeviceCommand) -> str:
        """Where a command is published; it has no request id when it needs no response."""
        device_id = command.device_id if command.gateway_id else self._shown_device
        endpoint, tenant_id, _, request_part, _ = self.segments
        return f"{endpoint}/{tenant_id}/{device_id}/{request_part}/{command.request_id}/{command.name}"

    def error_topic(self, published_to: str, device_id: str, correlation_id: str, status: int) -> str:
        """`published_to`: the first segment of the message's topic; `device_id`: whom it was for."""
        shown_device = self._shown_device if device_id in ("", self.device_id) else device_id
        endpoint, tenant_id, *_ = self.segments
        what = SHOWN_ENDPOINTS.get(published_to, "unknown")
        return f"{endpoint}/{tenant_id}/{shown_device}/{what}/{correlation_id or NO_CORRELATION}/{status}"


def read_filter(topic_filter: str, qos: int, tenant_id: str, device_id: str) -> AdapterSubscription | None:
    """Of the device that is connected. None for a filter that the adapter does not offer."""
    segments = segments_of(topic_filter)
    is_of_commands = topic_filter.startswith(("command/", "c/"))
    fits = _is_of_commands(segments) if is_of_commands else _is_of_errors(segments)
    if not fits or segments[1] not in ("", tenant_id):
        return None
    kind = SubscriptionKind.COMMANDS if is_of_commands else SubscriptionKind.ERRORS
    named = "" if segments[2] == ANY_DEVICE else segments[2]
    return AdapterSubscription(kind, segments, named or device_id, qos)


def _is_of_commands(segments: tuple[str, ...]) -> bool:
    """`command/[tenant]/[device]/req/#`"""
    return len(segments) == 5 and segments[4] == "#" and segments[3] in REQUEST_PARTS


def _is_of_errors(segments: tuple[str, ...]) -> bool:
    """`error/[tenant]/[device]/#`"""
    return len(segments) == 4 and segments[3] == "#" and segments[0] in ERROR_ENDPOINTS
