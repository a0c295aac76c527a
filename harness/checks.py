"""The words of `expect`: those over the stream become folds, those over the server's records become inquiries."""

from __future__ import annotations

from collections.abc import Callable

from harness import event_folds, time_folds
from harness.check_words import (
    Attempts,
    FaultBit,
    Gap,
    Never,
    NoReply,
    Order,
    Rate,
    Reaches,
    Receives,
    Record,
    Refused,
    Registry,
    Sends,
    Spread,
)
from harness.folds import Fold
from harness.matching import Pattern
from harness.records import judge_record
from harness.registry import judge_registry
from harness.rig import Rig
from harness.values import Times
from harness.verdict import Finding
from harness.words import CheckWord
from simulator.drivers.bench import Inquiry

Judge = Fold | Callable[[], Inquiry[Finding | None]]
"""How a check is judged: event by event, or by asking the server."""


def judge_of(rig: Rig, words: CheckWord) -> Judge:  # noqa: C901 (a table: one line for each word)
    """The check, ready to watch from now on."""
    match words:
        case Sends() | Receives() | NoReply():
            return event_folds.TimesPerDevice(pattern_of(rig, words), rig.serials(words.only), words.times)
        case Reaches():
            return reaches(rig, words)
        case Order():
            return event_folds.Order([pattern_of(rig, step.arguments) for step in words.steps], rig.serials())
        case Never():
            return event_folds.Never(pattern_of(rig, words.what.arguments))
        case Gap():
            pattern = Pattern("sent", name=words.between, device=rig.prefix + words.only)
            return time_folds.Gap(pattern, words.at_least_s or 0.0, words.at_most_s)
        case Rate():
            return time_folds.Rate(sent(rig, words.of, words.only), words.at_most, words.per_s)
        case Attempts():
            times = Times(at_least=words.at_least or 0, at_most=words.at_most)
            return event_folds.Attempts(words.of, rig.prefix + words.only, times)
        case Spread():
            return time_folds.Spread(sent(rig, words.of, words.only), words.peak_at_most, words.per_s)
        case Refused():
            device = rig.prefix + words.only
            return event_folds.Told("refused", words.times, device=device, reason_has=words.reason_has or "")
        case FaultBit():
            return event_folds.Told("fault", words.times, fault=words.kind)
        case Registry():
            return lambda: judge_registry(rig, words)
        case Record():
            return lambda: judge_record(rig, words)


def reaches(rig: Rig, words: Reaches) -> Fold:
    devices = rig.chosen(words.only)
    there = [device.serial for device in devices if device.agent.is_on and device.agent.stage is words.stage]
    needed = len(devices) if words.devices == "all" else words.devices
    return event_folds.Reaches(words.stage, there, needed)


def pattern_of(rig: Rig, words: Sends | Receives | NoReply | Reaches) -> Pattern:
    device = "*" if words.only == "*" else rig.prefix + words.only
    match words:
        case Sends():
            return Pattern(
                "sent", words.name or "", words.method or "", words.path or "", device, header=words.header,
                body_has=words.body_has,
            )  # fmt: skip
        case Receives():
            return Pattern(
                "received", words.name or "", device=device, status=words.status, header=words.header,
                body_has=words.body_has,
            )  # fmt: skip
        case NoReply():
            return Pattern("no_reply", words.name or "", device=device)
        case Reaches():
            return Pattern("entered", device=device, stage=words.stage)


def sent(rig: Rig, name: str, only: str) -> Pattern:
    return Pattern("sent", name=name, device=rig.prefix + only)
