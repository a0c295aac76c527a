"""The words of `expect`: those over the stream become folds, those over the server's records become inquiries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from fleetrig.harness.checks import events as event_folds
from fleetrig.harness.checks import retries as retry_folds
from fleetrig.harness.checks import times as time_folds
from fleetrig.harness.checks.fold import Fold
from fleetrig.harness.checks.manufacturing_record import judge_record
from fleetrig.harness.checks.matching import Pattern
from fleetrig.harness.checks.registry import judge_registry
from fleetrig.harness.external.program_folds import KeepsRunning as KeepsRunningFold
from fleetrig.harness.external.program_folds import OneAddress as OneAddressFold
from fleetrig.harness.external.secrecy import judge_secrets
from fleetrig.harness.run.context import Rig
from fleetrig.harness.run.redact import masked
from fleetrig.harness.scenario_file.check_words import (
    Attempts,
    BacksOff,
    FaultBit,
    Gap,
    Jitter,
    KeepsRunning,
    KeepsSecrets,
    Never,
    NoReply,
    OneAddress,
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
from fleetrig.harness.scenario_file.values import Times
from fleetrig.harness.scenario_file.words import CheckWord
from fleetrig.harness.verdict import Finding
from fleetrig.simulator.contract.trace import Lane
from fleetrig.simulator.drivers.director import AdminCall

Question = Callable[[], AdminCall[Finding | None]]
Judge = Fold | Question
"""How a check is judged: event by event, or by asking the server."""

Numbers = Gap | Rate | Attempts | Spread | BacksOff | Jitter
Watched = (
    Sends | Receives | NoReply | Reaches | Order | Never | Refused | FaultBit | KeepsRunning | OneAddress | Numbers
)  # fmt: skip
"""The words that are judged from events alone."""


@dataclass(frozen=True, slots=True)
class Roster:
    """The fleet at the moment when a phase begins: all that a fold must know beside the events."""

    prefix: str
    """Before every serial, on a server that others use too."""
    stages: Mapping[str, str]
    """The stage of each device; empty while it is off."""
    lane: Lane = Lane.DEVICE
    """Who tells what devices do: they themselves, or the server where they are none of ours."""
    hide: Callable[[str], str] = str
    """Masks secrets, for events that were masked too: those of a stored trace."""

    def serials(self, only: str = "*") -> list[str]:
        """The devices whose serial, without the prefix, fits the glob."""
        return [serial for serial in self.stages if fnmatchcase(serial.removeprefix(self.prefix), only)]

    def glob(self, only: str) -> str:
        """The same as a glob over whole serials."""
        return only if only == "*" else self.prefix + only


def roster_of(rig: Rig) -> Roster:
    devices = rig.devices.values()
    stages = {one.serial: one.agent.stage if one.agent.is_on else "" for one in devices}
    return Roster(rig.prefix, stages, rig.scenario.devices.told_by)


def judge_of(rig: Rig, words: CheckWord) -> Judge:
    """The check, ready to watch from now on."""
    match words:
        case Registry():
            return lambda: judge_registry(rig, words)
        case Record():
            return lambda: judge_record(rig, words)
        case KeepsSecrets():
            return lambda: judge_secrets(rig, words)
        case _:
            return fold_of(roster_of(rig), words)


def fold_of(fleet: Roster, words: Watched) -> Fold:
    """A check over the stream, for a fleet that is there now."""
    match words:
        case Sends() | Receives() | NoReply():
            return event_folds.TimesPerDevice(pattern_of(fleet, words), fleet.serials(words.only), words.times)
        case Reaches():
            return reaches(fleet, words)
        case Order():
            return order(fleet, words)
        case Never():
            return event_folds.Never(pattern_of(fleet, words.what.arguments))
        case Refused():
            like = fleet.hide(words.reason_has or "")
            return event_folds.Told("refused", words.times, device=fleet.glob(words.only), reason_has=like)
        case FaultBit():
            return event_folds.Told("fault", words.times, fault=words.kind)
        case KeepsRunning():
            return KeepsRunningFold()
        case OneAddress():
            return OneAddressFold()
        case _:
            return numbers(fleet, words)


def numbers(fleet: Roster, words: Numbers) -> Fold:
    """Those that measure."""
    what = words.between if isinstance(words, Gap) else words.of
    sent, received, no_reply = (
        Pattern(kind, name=what, device=fleet.glob(words.only), lane=fleet.lane)
        for kind in ("sent", "received", "no_reply")
    )
    match words:
        case Gap():
            return time_folds.Gap(sent, words.at_least_s or 0.0, words.at_most_s)
        case Rate():
            return time_folds.Rate(sent, words.at_most, words.per_s)
        case Spread():
            first_of = len(fleet.serials(words.only)) if words.first else None
            return time_folds.Spread(sent, words.peak_at_most, words.per_s, words.over_s, first_of)
        case Attempts():
            times = Times(at_least=words.at_least or 0, at_most=words.at_most)
            return event_folds.Attempts(what, sent.device, times, fleet.lane)
        case BacksOff():
            return retry_folds.BacksOff(retry_folds.PauseRows(sent, received, no_reply), words.by)
        case Jitter():
            return retry_folds.Jitter(retry_folds.PauseRows(sent, received, no_reply), words.at_least)


def order(fleet: Roster, words: Order) -> Fold:
    """For the devices that every step is about."""
    steps = [step.arguments for step in words.steps]
    globs = {step.only for step in steps}
    serials = [one for one in fleet.serials() if all(fnmatchcase(one.removeprefix(fleet.prefix), g) for g in globs)]
    return event_folds.Order([pattern_of(fleet, step) for step in steps], serials)


def reaches(fleet: Roster, words: Reaches) -> Fold:
    stages = {serial: fleet.stages[serial] for serial in fleet.serials(words.only)}
    needed = len(stages) if words.devices == "all" else words.devices
    return event_folds.Reaches(words.stage, stages, needed)


def pattern_of(fleet: Roster, words: Sends | Receives | NoReply | Reaches) -> Pattern:
    return masked(replace(_pattern(words, fleet.glob(words.only)), lane=fleet.lane), fleet.hide)


def _pattern(words: Sends | Receives | NoReply | Reaches, device: str) -> Pattern:
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
