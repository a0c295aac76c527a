"""What REST asks of devices: a call over the broker, held until the device replies (spec 2.5, 5.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from fleetrig.reference_server.platform import HeldRequest, HttpAnswer
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, Metric
from fleetrig.reference_server.platforms.kura.state.errors import Refused


@dataclass(frozen=True, slots=True)
class DeviceCall:
    """One request to one device: `$EDC/<account>/<client_id>/<app_id>/<method>/<resource>`."""

    scope_id: str
    client_id: str
    app_id: str
    method: str
    resource: str
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    body: bytes | None = None
    timeout_ms: int = 30_000


class CallOutcome(Protocol):
    """How the reply, or its absence, is told to whoever has called."""

    def replied(self, reply: KuraPayload) -> HttpAnswer:
        """The device has answered, whatever it says."""

    def timed_out(self) -> HttpAnswer:
        """Nothing came in time."""

    def left(self) -> HttpAnswer:
        """The device has left before it answered."""


class DeviceCalls(Protocol):
    """Calls under way. The broker performs them."""

    def start(self, call: DeviceCall, outcome: CallOutcome, session: int, now_us: int) -> HeldRequest:
        """Sends the request; `session` is the HTTP session that is answered later. Raises Refused: not connected."""


class NobodyCalls:
    """Where no device is ever connected."""

    def start(self, call: DeviceCall, outcome: CallOutcome, session: int, now_us: int) -> HeldRequest:
        raise not_connected(call.client_id)


def not_connected(client_id: str) -> Refused:
    """409: the device is not there to be asked."""
    error = f"The device {client_id} is not connected"
    return Refused(409, "DEVICE_NOT_CONNECTED", error, f"device {client_id} is not connected: wait for its BIRTH")
