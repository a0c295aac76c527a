"""What a device's reply to a call becomes over REST, and what its absence (spec 2.6, 5.5), as Kapua maps it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from fleetrig.reference_server.platform import HeldRequest, HttpAnswer
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, Metric
from fleetrig.reference_server.platforms.kura.rest.call import Call
from fleetrig.reference_server.platforms.kura.rest.device_calls import DeviceCall
from fleetrig.reference_server.platforms.kura.rest.refusals import refusal_answer
from fleetrig.reference_server.platforms.kura.rest.replies import Reply, respond
from fleetrig.reference_server.platforms.kura.state.connections import connection_by_client
from fleetrig.reference_server.platforms.kura.state.device_records import ConnectionStatus, Device
from fleetrig.reference_server.platforms.kura.state.errors import Refused, decimal_id

ACCEPTED: Final = 200
NOT_FOUND: Final = 404
MOST_TIMEOUT_MS: Final = 600_000
WHAT_CODES_MEAN: Final[Mapping[int, tuple[str, str, str]]] = {
    400: ("RESPONSE_BAD_REQUEST", "BAD_REQUEST", "The device has not understood the request."),
    404: ("RESPONSE_NOT_FOUND", "NOT_FOUND", "The device has not found the requested resource."),
    500: (
        "RESPONSE_INTERNAL_ERROR",
        "INTERNAL_ERROR",
        "The device accepted the request but has failed while processing.",
    ),
}
"""`response.code` -> Kapua's error code, its name of the response code, its message."""


class Unreadable(ValueError):
    """The reply is not what was asked for; says why."""


def no_content(reply: KuraPayload) -> Reply:
    """204: that it was accepted is all there is to say."""
    return Reply(status=204)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one call. `shown` makes the answer of a reply with code 200; it raises Unreadable."""

    device: Device
    timeout_ms: int
    shown: Callable[[KuraPayload], Reply] = no_content
    takes_any_code: bool = False
    """The caller wants to see the reply whatever its code."""

    def replied(self, reply: KuraPayload) -> HttpAnswer:
        code = reply.response_code
        if code is None:
            return refusal_answer(_unknown_code(reply), rollback=False)
        if code != ACCEPTED and not self.takes_any_code:
            return refusal_answer(_refused_by_device(code, reply), rollback=False)
        try:
            answer = self.shown(reply)
        except Unreadable as why:
            return refusal_answer(_unreadable(str(why)), rollback=False)
        return HttpAnswer(respond(answer), device=self.device.client_id, changed=answer.changed)

    def timed_out(self) -> HttpAnswer:
        error = f"The request has not received a response within the timeout of: {self.timeout_ms}ms"
        kind = "deviceManagementTimeoutExceptionInfo"
        refused = Refused(500, "TIMEOUT", error, error, {"timeout": self.timeout_ms}, kind)
        return refusal_answer(refused, rollback=False)

    def left(self) -> HttpAnswer:
        return refusal_answer(not_connected(self.device, ConnectionStatus.DISCONNECTED), rollback=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a device; `method` and `resource` as topics have them."""

    app_id: str
    method: str
    resource: str
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    body: bytes | None = None


def ask_device(
    call: Call,
    device: Device,
    asked: Asked,
    shown: Callable[[KuraPayload], Reply] = no_content,
    *,
    takes_any_code: bool = False,
) -> HeldRequest:
    """Sends a request and holds the answer. Raises Refused for a device that is not connected."""
    timeout_ms = min(call.number("timeout", call.registry.settings.call_timeout_s * 1000, least=1), MOST_TIMEOUT_MS)
    connection = connection_by_client(call.registry, device.scope_id, device.client_id)
    if connection is None or connection.status is not ConnectionStatus.CONNECTED:
        raise not_connected(device, None if connection is None else connection.status)
    outcome = Outcome(device, timeout_ms, shown, takes_any_code)
    request = DeviceCall(
        device.scope_id,
        device.client_id,
        asked.app_id,
        asked.method,
        asked.resource,
        asked.metrics,
        asked.body,
        timeout_ms,
    )
    return call.calls.start(request, outcome, call.session.id, call.now_us)


def not_connected(device: Device, status: ConnectionStatus | None) -> Refused:
    """409."""
    shown = "null" if status is None else status.value
    error = f"The device {decimal_id(device.id)} is not CONNECTED. Current device connection status is: {shown}"
    told = {"deviceId": device.id, "connectionStatus": None if status is None else status.value}
    why = f"device {device.client_id} is not connected: wait for its BIRTH"
    return Refused(409, "DEVICE_NOT_CONNECTED", error, why, told, "deviceNotConnectedExceptionInfo")


def _refused_by_device(code: int, reply: KuraPayload) -> Refused:
    error_code, name, text = WHAT_CODES_MEAN[code]
    message = reply.text("response.exception.message")
    error = f"{text} Error Code: {name} - Error Message: {message or 'null'}"
    told = {"responseCode": name, "errorMessage": message}
    status = NOT_FOUND if code == NOT_FOUND else 500
    return Refused(status, error_code, error, error, told, "deviceManagementResponseCodeExceptionInfo")


def _unknown_code(reply: KuraPayload) -> Refused:
    """No code, or none of the four that there are: a mistake of the device, and no success (S-41)."""
    found = reply.metrics.get("response.code")
    shown = "null" if found is None else str(found.value)[:40]
    error = f"The device has returned an unknown response code. Error Code: {shown} - Error Message: null"
    kind = "deviceManagementResponseCodeExceptionInfo"
    return Refused(500, "RESPONSE_UNKNOWN_CODE", error, error, {"responseCode": None}, kind)


def _unreadable(why: str) -> Refused:
    error = f"The content of the response cannot be deserialized to expected type. Content: {why}"
    kind = "deviceManagementResponseContentExceptionInfo"
    return Refused(500, "RESPONSE_CONTENT", error, f"the device's reply: {why}", type=kind)
