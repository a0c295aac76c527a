"""A command that an application sends, as devices get it (KafkaBasedCommand)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from fleetrig.reference_server.platforms.hono.northbound.command_ids import request_id_of

DIGITS: Final = re.compile(r"[+-]?[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class DeviceCommand:
    """`correlation_id` is empty for one that needs no response: such a command is one-way."""

    tenant_id: str
    device_id: str
    name: str
    payload: bytes = b""
    content_type: str = ""
    correlation_id: str = ""
    gateway_id: str = ""
    """The gateway that it goes through, once that is known."""

    @property
    def is_one_way(self) -> bool:
        return not self.correlation_id

    @property
    def request_id(self) -> str:
        """By what its response names it; empty when none is wanted."""
        return "" if self.is_one_way else request_id_of(self.correlation_id)


def status_in(text: str | None) -> int | None:
    """An integer as devices write it in topics and queries; None when it is none."""
    return int(text) if text is not None and DIGITS.fullmatch(text) else None


def is_response_status(status: int | None) -> bool:
    """Successes and errors; redirections and all else are refused."""
    return status is not None and (200 <= status < 300 or 400 <= status < 600)
