"""A device's response to a command, on its way to the application that waits for it (CommandResponse.fromRequestId)."""

from __future__ import annotations

from dataclasses import dataclass

from fleetrig.reference_server.platforms.hono.commands.device_command import is_response_status
from fleetrig.reference_server.platforms.hono.northbound.command_ids import correlation_id_in


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """`request_id` as the device has it from the command; None where it named none or its topic was too short."""

    request_id: str | None
    status: int | None
    payload: bytes
    content_type: str | None

    @property
    def correlation_id(self) -> str | None:
        """What the application knows the command by; None for a response that cannot be told."""
        if self.request_id is None or not is_response_status(self.status):
            return None
        return correlation_id_in(self.request_id)
