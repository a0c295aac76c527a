"""What each device asked and what it was answered, row by row, as one trace tells it.

Two servers choose different ids, ports and tenants: rows are written so that what says the same is the same text. The
device's own name becomes `{device}`, other ids `{uuid}`, `{hex}` and `{n}`; origins are left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from fleetrig.harness.traces.seen_events import SeenEvent
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.mqtt import MqttConnect, MqttPublish
from fleetrig.simulator.contract.trace import Lane, TraceEvent

UUID: Final = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
HEX: Final = re.compile(r"\b(?=[0-9a-fA-F]*[0-9])[0-9a-fA-F]{8,}\b")
NUMBER: Final = re.compile(r"(?<![\w{.])\d+(?![\w}.])")
ANSWERS: Final = frozenset({"received", "no_reply", "downloaded"})
SERVER_ANSWERS: Final = frozenset({"answered", "refused"})
UNASKED: Final = "(unasked)"
NOBODY: Final = ""
"""Whose requests nobody's are: of operators, and of devices that were refused before they were known."""


@dataclass(slots=True)
class ExchangeRow:
    """One thing that was asked; `answer` is empty while, and where, there is none."""

    name: str
    """The device's name for it, such as `poll`; empty where only the server's side is told."""
    asked: str
    answer: str
    at_us: int
    """Counted from the beginning of the run."""
    took_us: int
    number: int
    """The line of the trace that tells of it."""

    @property
    def text(self) -> str:
        """`poll GET /DEFAULT/controller/v1/{device} → 200`."""
        asked = f"{self.name} {self.asked}" if self.name else self.asked
        return f"{asked} → {self.answer}" if self.answer else asked


DeviceRows = dict[str, list[ExchangeRow]]
"""Device -> its rows in the order in which they were asked."""


@dataclass(slots=True)
class RowReader:
    """Told every event. The device lane counts; the server lane where no device tells anything (traces of `serve`)."""

    _of_devices: DeviceRows = field(default_factory=dict)
    _of_server: DeviceRows = field(default_factory=dict)
    _open: dict[tuple[str, str], ExchangeRow] = field(default_factory=dict)
    _heard: dict[int, ExchangeRow] = field(default_factory=dict)
    """By the number of the question in the server lane."""

    @property
    def rows(self) -> DeviceRows:
        return self._of_devices or self._of_server

    def take(self, seen: SeenEvent) -> None:
        event = seen.event
        if event.lane is Lane.DEVICE:
            self._of_device(event, seen)
        elif event.lane is Lane.SERVER and not self._of_devices:
            self._of_the_server(event, seen)

    def _of_device(self, event: TraceEvent, seen: SeenEvent) -> None:
        if event.kind == "sent":
            row = _asked(event, seen, event.device, event.name)
            self._open[event.device, event.name] = row
            self._of_devices.setdefault(event.device, []).append(row)
        elif event.kind in ANSWERS:
            key = event.device, event.name
            row = self._open.pop(key) if key in self._open else self._unasked(event, seen)
            row.answer = _answer(event, event.device)
            row.took_us = event.took_us or max(0, event.at_us - seen.begun_us - row.at_us)

    def _unasked(self, event: TraceEvent, seen: SeenEvent) -> ExchangeRow:
        row = ExchangeRow(event.name, UNASKED, "", event.at_us - seen.begun_us, 0, seen.number)
        self._of_devices.setdefault(event.device, []).append(row)
        return row

    def _of_the_server(self, event: TraceEvent, seen: SeenEvent) -> None:
        if event.kind == "received":
            row = _asked(event, seen, seen.device, "")
            self._heard[event.seq] = row
            self._of_server.setdefault(seen.device, []).append(row)
        elif event.kind in SERVER_ANSWERS and seen.question is not None and seen.question.seq in self._heard:
            row = self._heard.pop(seen.question.seq)
            row.answer = _answer(event, seen.device)
            row.took_us = event.at_us - seen.begun_us - row.at_us + event.took_us


@lru_cache(maxsize=4_096)
def plain(text: str, device: str) -> str:
    """The same for two servers that say the same."""
    if device:
        text = re.sub(rf"(?<!\w){re.escape(device)}(?!\w)", "{device}", text)
    return NUMBER.sub("{n}", HEX.sub("{hex}", UUID.sub("{uuid}", text)))


def _asked(event: TraceEvent, seen: SeenEvent, device: str, name: str) -> ExchangeRow:
    asked = _question(event.envelope, device)
    return ExchangeRow(name, asked, "", event.at_us - seen.begun_us, 0, seen.number)


def _question(envelope: Envelope | None, device: str) -> str:
    """Of a CONNECT whether it names itself after its device, and whether it has a user name: both are made up anew."""
    match envelope:
        case None:
            return ""
        case MqttConnect(client_id=client_id, user_name=user_name):
            client = plain(client_id, device) if device and device in client_id else "{client}"
            return f"CONNECT {client}" + (" {user}" if user_name else "")
        case _:
            return plain(envelope.line, device)


def _answer(event: TraceEvent, device: str) -> str:
    """Codes stay as they are; of a message its topic."""
    match event.envelope:
        case None:
            return event.reason or event.kind.replace("_", " ")
        case MqttPublish() as message:
            return plain(message.line, device)
        case envelope:
            return envelope.line
