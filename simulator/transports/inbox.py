"""What comes on one connection of a device: the answer it waits for, and all that it does not wait for.

A device waits for one thing at a time: the answer to a request, found by its packet id or its token, or a message whose
line fits a glob. Everything else is kept for a later `Await`, in the order in which it came. No I/O: links in virtual
and in real time put in what arrives.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Final

from fleetrig.simulator.contract.coap import CoapRequest, CoapReset, CoapResponse
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttPingreq,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    MqttSubscribe,
    MqttUnsuback,
    MqttUnsubscribe,
    PublishAckKind,
)

INBOX_LIMIT: Final = 64
"""More than a device leaves unread; then the oldest goes."""
LAST_PACKET_ID: Final = 65_535
TOKEN_BYTES: Final = 4


class Inbox:
    """One connection's. Numbers what goes out, tells what is waited for from what is kept."""

    __slots__ = ("_kept", "_last_packet_id", "_last_token", "_wanted")

    def __init__(self) -> None:
        self._kept: deque[Envelope] = deque()
        self._last_packet_id = 0
        self._last_token = 0
        self._wanted: Envelope | tuple[str, ...] | None = None

    def numbered(self, envelope: Envelope) -> Envelope:
        """The envelope with a packet id or a token, where it needs one and has none."""
        match envelope:
            case MqttSubscribe(packet_id=0) | MqttUnsubscribe(packet_id=0):
                return replace(envelope, packet_id=self._next_packet_id())
            case MqttPublish(packet_id=0, qos=1 | 2):
                return replace(envelope, packet_id=self._next_packet_id())
            case CoapRequest(token=b""):
                self._last_token += 1
                return replace(envelope, token=self._last_token.to_bytes(TOKEN_BYTES))
            case _:
                return envelope

    def want_answer(self, request: Envelope) -> None:
        """Waits for the answer to a request that goes out now. Raises ModelError for what has no answer."""
        if not has_answer(request):
            raise ModelError(f"nothing answers {request.line}: a flow sends it with Tell, not with Ask")
        self._wanted = request

    def want_fitting(self, patterns: tuple[str, ...]) -> Envelope | None:
        """The oldest kept envelope whose line fits a pattern; without one the next that comes is waited for."""
        for position, envelope in enumerate(self._kept):
            if fits(envelope, patterns):
                del self._kept[position]
                return envelope
        self._wanted = patterns
        return None

    def want_nothing(self) -> None:
        """The device has given up: a late answer is kept like everything else."""
        self._wanted = None

    def is_wanted(self, envelope: Envelope) -> bool:
        """True for what is waited for; nothing is waited for then any more."""
        wanted = self._wanted
        if wanted is None:
            return False
        found = fits(envelope, wanted) if isinstance(wanted, tuple) else is_answer(wanted, envelope)
        if found:
            self._wanted = None
        return found

    def keep(self, envelope: Envelope) -> Envelope | None:
        """Keeps it for later. Returns the oldest one when that had to go for it."""
        self._kept.append(envelope)
        return self._kept.popleft() if len(self._kept) > INBOX_LIMIT else None

    def _next_packet_id(self) -> int:
        self._last_packet_id = self._last_packet_id % LAST_PACKET_ID + 1
        return self._last_packet_id


def fits(envelope: Envelope, patterns: Iterable[str]) -> bool:
    """True when the envelope's line fits one of the globs, in which case counts."""
    line = envelope.line
    return any(fnmatchcase(line, pattern) for pattern in patterns)


def has_answer(request: Envelope) -> bool:
    """True for what the other side answers by itself."""
    match request:
        case MqttPublish(qos=qos):
            return qos > 0
        case MqttPublishAck(kind):
            return kind is PublishAckKind.PUBREL
        case _:
            return isinstance(request, MqttConnect | MqttSubscribe | MqttUnsubscribe | MqttPingreq | CoapRequest)


def is_answer(request: Envelope, envelope: Envelope) -> bool:
    """True when `envelope` answers `request`: the right kind of packet with its packet id, or its token."""
    match request, envelope:
        case (MqttConnect(), MqttConnack()) | (MqttPingreq(), MqttPingresp()):
            return True
        case MqttSubscribe(packet_id=asked), MqttSuback(came):
            return asked == came
        case MqttUnsubscribe(packet_id=asked), MqttUnsuback(came):
            return asked == came
        case (MqttPublish() | MqttPublishAck()) as publish, MqttPublishAck(kind, came):
            return publish.packet_id == came and kind is _answering(publish)
        case CoapRequest(token=token), CoapResponse(token=came_token) | CoapReset(came_token):
            return token == came_token
        case _:
            return False


def _answering(request: MqttPublish | MqttPublishAck) -> PublishAckKind:
    """What comes next in the exchange of a PUBLISH (MQTT 3.1.1 §4.3)."""
    if isinstance(request, MqttPublishAck):
        return PublishAckKind.PUBCOMP
    return PublishAckKind.PUBACK if request.qos == 1 else PublishAckKind.PUBREC
