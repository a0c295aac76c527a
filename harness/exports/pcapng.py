"""pcapng for Wireshark and tshark: each event with a message is one packet of link type 252, "exported PDU".

Such a packet names its dissector, addresses and ports. Each lane is an interface: `frame.interface_name == "server"`
shows what the server saw. A device has an address of 10.0.0.0/8 in the order in which devices come; its name, our
reason and what could not be made again are in the packet's comment.
Formats: draft-ietf-opsawg-pcapng; Wireshark's epan/exported_pdu.h.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Final

from fleetrig.harness.exports.message_bytes import MessageBytes, message_bytes
from fleetrig.harness.traces.event_words import TO_DEVICE, words_of
from fleetrig.harness.traces.seen_events import SeenEvent, SeenRecord
from fleetrig.harness.traces.trace_records import RunBegins
from fleetrig.simulator.contract.by_session import MAX_SESSIONS
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.http import HttpResponse
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttPingresp,
    MqttSuback,
    MqttUnsuback,
    MqttVersion,
)
from fleetrig.simulator.contract.trace import Lane

LINK_TYPE: Final = 252
SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
COMMENT, NAME = 1, 2
"""Options of blocks."""
DISSECTOR, IPV4_SOURCE, IPV4_GOAL, PORT_TYPE, SOURCE_PORT, GOAL_PORT = 12, 20, 21, 24, 25, 26
"""Tags of an exported PDU."""
TCP, UDP = 2, 3
PORTS: Final = {"http": 80, "mqtt": 1883, "coap": 5683}
SERVER_ADDRESS: Final = bytes((192, 0, 2, 1))
LANES: Final = tuple(Lane)
FIRST_PORT: Final = 10_000
PORTS_OF_LANE: Final = 10_000
LONGEST_COMMENT_BYTES: Final = 8_000
ABOUT: Final = "made by fleetrig from a trace: secrets are masked, and lengths are those of what is left"


def pcapng(records: Iterable[SeenRecord]) -> Iterator[bytes]:
    """The section with its interfaces, then packet by packet."""
    yield _block(SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + _options((COMMENT, ABOUT)))
    for lane in LANES:
        yield _block(INTERFACE, struct.pack("<HHI", LINK_TYPE, 0, 0) + _options((NAME, str(lane))))
    writer = _Capture()
    for record in records:
        match record:
            case RunBegins():
                writer = _Capture()
            case SeenEvent(event=event) if event.envelope is not None:
                yield writer.packet(record, event.envelope)
            case _:
                continue


class _Capture:
    def __init__(self) -> None:
        self._devices: dict[str, int] = {}
        self._versions: OrderedDict[tuple[Lane, int, str], MqttVersion] = OrderedDict()
        """Of the MQTT connections, by their lane, session and device."""

    def packet(self, seen: SeenEvent, envelope: Envelope) -> bytes:
        event = seen.event
        message_id = (event.seq if seen.question is None else seen.question.seq) & 0xFFFF
        made = message_bytes(envelope, self._version(seen, envelope), message_id)
        content = self._tags(seen, made, is_to_device=_is_to_device(seen, envelope)) + made.content
        high, low = event.at_us >> 32, event.at_us & 0xFFFFFFFF
        head = struct.pack("<IIIII", LANES.index(event.lane), high, low, len(content), len(content))
        return _block(PACKET, head + _padded(content) + _options((COMMENT, _comment(seen, made))))

    def _version(self, seen: SeenEvent, envelope: Envelope) -> MqttVersion | None:
        event = seen.event
        key = event.lane, event.session, "" if event.session else seen.device
        if isinstance(envelope, MqttConnect):
            self._versions[key] = envelope.version
            if len(self._versions) > MAX_SESSIONS:
                self._versions.popitem(last=False)
        return self._versions.get(key)

    def _tags(self, seen: SeenEvent, made: MessageBytes, *, is_to_device: bool) -> bytes:
        event = seen.event
        number = self._devices.setdefault(seen.device, len(self._devices))
        device = 10 << 24 | number & 0xFFFFFF
        port = FIRST_PORT + PORTS_OF_LANE * LANES.index(event.lane) + event.session % PORTS_OF_LANE
        ends = [(SERVER_ADDRESS, PORTS.get(made.dissector, 0)), (device.to_bytes(4, "big"), port)]
        (source, source_port), (goal, goal_port) = ends if is_to_device else reversed(ends)
        return b"".join((
            _tag(DISSECTOR, _padded(made.dissector.encode())),
            _tag(IPV4_SOURCE, source),
            _tag(IPV4_GOAL, goal),
            _tag(PORT_TYPE, struct.pack(">I", UDP if made.dissector == "coap" else TCP)),
            _tag(SOURCE_PORT, struct.pack(">I", source_port)),
            _tag(GOAL_PORT, struct.pack(">I", goal_port)),
            _tag(0, b""),
        ))  # fmt: skip


def _is_to_device(seen: SeenEvent, envelope: Envelope) -> bool:
    if isinstance(envelope, HttpResponse | MqttConnack | MqttSuback | MqttUnsuback | MqttPingresp):
        return True
    return words_of(seen.event, seen.question).mark == TO_DEVICE


def _comment(seen: SeenEvent, made: MessageBytes) -> str:
    event = seen.event
    about = f"{event.lane}:{event.seq} {event.kind}"
    told = [about, seen.device, event.name, event.fault, event.reason, event.cites, *made.remarks]
    return "; ".join(filter(None, told))


def _tag(number: int, value: bytes) -> bytes:
    return struct.pack(">HH", number, len(value)) + value


def _options(*options: tuple[int, str]) -> bytes:
    """Each filled up to 32 bits, and the end of options."""
    written = []
    for number, text in options:
        value = text.encode("utf-8", "replace")[:LONGEST_COMMENT_BYTES].decode("utf-8", "ignore").encode()
        written.append(struct.pack("<HH", number, len(value)) + _padded(value))
    return b"".join(written) + bytes(4)


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def _padded(value: bytes) -> bytes:
    return value + bytes(-len(value) % 4)
