"""Transcripts and vectors of the Kura namespace as they stand in their files.

Reading is strict: a line with a word that nobody knows, or without one that it needs, is no line of a recording.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parents[1] / "kura"

EVERY_PACKET: Final = frozenset({"device", "case", "step", "t", "connection", "from", "packet"})
ANY_PACKET: Final = frozenset({"row", "part", "swallowed", "injected"})
NEEDS: Final[Mapping[str, frozenset[str]]] = {
    "TCP": frozenset({"event"}),
    "CLOSE": frozenset(),
    "CONNECT": frozenset({"protocol", "level", "clean", "keepalive", "client_id", "will"}),
    "CONNACK": frozenset({"session_present", "code"}),
    "PUBLISH": frozenset({"topic", "qos", "retain", "dup", "payload_hex"}),
    "PUBACK": frozenset({"mid"}),
    "SUBSCRIBE": frozenset({"filters", "mid"}),
    "SUBACK": frozenset({"codes", "mid"}),
    "UNSUBSCRIBE": frozenset({"filters", "mid"}),
    "UNSUBACK": frozenset({"mid"}),
    "PINGREQ": frozenset(),
    "PINGRESP": frozenset(),
    "DISCONNECT": frozenset(),
}
"""What a packet of each kind says of itself."""
MAY: Final[Mapping[str, frozenset[str]]] = {
    "CONNECT": frozenset({"username", "password"}),
    "PUBLISH": frozenset({"mid", "fields", "text"}),
}
TRANSPORT: Final = frozenset({"TCP", "CLOSE"})


@dataclass(frozen=True)
class Packet:
    """One line of a transcript. `what` has what only packets of its kind have."""

    device: str
    case: str
    part: str
    row: str
    step: int
    at_s: float
    connection: int
    is_from_device: bool
    kind: str
    what: Mapping[str, Any]
    is_swallowed: bool = False
    """Of the server, and the device did not get it."""
    is_injected: bool = False
    """Neither the server nor the device has sent it."""

    @property
    def place(self) -> str:
        return f"{self.case} step {self.step} ({'device' if self.is_from_device else 'server'} {self.kind})"

    @property
    def topic(self) -> str:
        return str(self.what.get("topic", ""))

    @property
    def packet_id(self) -> int:
        return int(self.what.get("mid", 0))

    @property
    def payload(self) -> bytes | None:
        """None: it holds what was different every time, so that only its fields stand here."""
        digits = self.what["payload_hex"]
        return None if digits is None else bytes.fromhex(digits)


@dataclass(frozen=True)
class Case:
    """What was recorded under one name, in order."""

    name: str
    packets: tuple[Packet, ...]

    @property
    def part(self) -> str:
        return self.packets[0].part

    @property
    def rows(self) -> tuple[str, ...]:
        return tuple(self.packets[0].row.split())


@dataclass(frozen=True)
class Transcript:
    """A file: the cases of one device, most of which go on where the one before has ended."""

    name: str
    cases: tuple[Case, ...]

    @property
    def device(self) -> str:
        return self.cases[0].packets[0].device

    @property
    def packets(self) -> list[Packet]:
        return [packet for case in self.cases for packet in case.packets]


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Raises ValueError for a file that is cut off."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert lines, f"{path.name} is empty"
    return lines


def read_transcript(name: str) -> Transcript:
    return transcript_of(name, read_lines(FOLDER / f"{name}.jsonl"))


def transcript_of(name: str, lines: Iterable[dict[str, Any]]) -> Transcript:
    """Raises KeyError and AssertionError for lines that are none of a transcript."""
    packets = [packet_of(line) for line in lines]
    cases = tuple(Case(case, tuple(its)) for case, its in groupby(packets, key=lambda packet: packet.case))
    for case in cases:
        assert [packet.step for packet in case.packets] == list(range(1, len(case.packets) + 1)), case.name
    return Transcript(name, cases)


def packet_of(line: dict[str, Any]) -> Packet:
    kind = line["packet"]
    assert kind in NEEDS, f"unknown packet {kind}"
    own = line.keys() - EVERY_PACKET - ANY_PACKET
    assert NEEDS[kind] <= own, f"{kind} without {sorted(NEEDS[kind] - own)}"
    assert own <= NEEDS[kind] | MAY.get(kind, frozenset()), f"{kind} with {sorted(own - NEEDS[kind])}"
    assert line["from"] in ("device", "server"), line["from"]
    return Packet(
        line["device"],
        line["case"],
        line.get("part") or "",
        line.get("row") or "",
        line["step"],
        float(line["t"]),
        line["connection"],
        line["from"] == "device",
        kind,
        {word: line[word] for word in sorted(own)},
        line.get("swallowed", False),
        line.get("injected", False),
    )


@dataclass(frozen=True)
class PayloadVector:
    """Of `payloads.jsonl` and `json-payloads.jsonl`."""

    name: str
    kind: str
    line: Mapping[str, Any]

    @property
    def is_refused(self) -> bool:
        return "error" in self.line

    @property
    def data(self) -> bytes:
        return bytes.fromhex(self.line["hex"])


KINDS: Final[Mapping[str, frozenset[str]]] = {
    "encode": frozenset({"fields", "hex", "decoded", "error"}),
    "decode": frozenset({"fields", "hex", "error", "as_received"}),
    "gzip-rule": frozenset({"plain_length", "gzip", "sent_length", "plain_hex"}),
    "json-decode": frozenset({"text", "fields", "error", "row"}),
    "json-encode": frozenset({"text", "fields", "error", "row"}),
}


def vector_of(line: dict[str, Any]) -> PayloadVector:
    kind = line["kind"]
    assert kind in KINDS, f"unknown kind {kind}"
    assert line.keys() - {"name", "kind"} <= KINDS[kind], f"{kind} with {sorted(line.keys() - KINDS[kind])}"
    return PayloadVector(line["name"], kind, line)


def read_vectors(name: str) -> list[PayloadVector]:
    return [vector_of(line) for line in read_lines(FOLDER / f"{name}.jsonl")]
