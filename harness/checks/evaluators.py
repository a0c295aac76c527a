"""The words of `expect`: those over the stream become folds, those over the server's records become admin calls.

A new word gets a line in `FOLDS` or in `QUERIES`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Final, TypeVar

from fleetrig.harness.checks import event_folds, latency_folds, retry_folds, threshold_folds, time_folds
from fleetrig.harness.checks.board_folds import PrintsFold, query_unit
from fleetrig.harness.checks.fold import Fold
from fleetrig.harness.checks.lives import Lives
from fleetrig.harness.checks.manufacturing_record import query_manufacturing_record
from fleetrig.harness.checks.matching import Pattern
from fleetrig.harness.checks.model_folds import FollowsModelFold
from fleetrig.harness.checks.model_watch import ModelWatch
from fleetrig.harness.checks.registry import query_registry
from fleetrig.harness.checks.step_folds import StepsFold
from fleetrig.harness.external.program_folds import KeepsRunningFold, OneAddressFold
from fleetrig.harness.external.secrecy import query_secrets
from fleetrig.harness.run.context import RunContext
from fleetrig.harness.run.redact import redact
from fleetrig.harness.scenario_file.board_check_words import Prints, UnitRecordSays
from fleetrig.harness.scenario_file.board_words import RUN_PLACE
from fleetrig.harness.scenario_file.check_words import (
    CheckWord,
    FaultBit,
    FollowsModel,
    KeepsRunning,
    KeepsSecrets,
    ManufacturingRecord,
    Never,
    NoReplies,
    OneAddress,
    Order,
    ProgramsKeepRunning,
    Reaches,
    Receives,
    Refused,
    Registry,
    SeenWord,
    Sends,
    StepsTaken,
)
from fleetrig.harness.scenario_file.measure_words import Attempts, BacksOff, Gap, Jitter, Rate, Spread
from fleetrig.harness.scenario_file.threshold_words import AnsweredWithin, Dropped, Errors, TimeToOnline
from fleetrig.harness.scenario_file.values import Times
from fleetrig.harness.servers.json_answer import read_json
from fleetrig.harness.verdict import Finding, Measured
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.trace import Lane
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.drivers.oracle_rules import Tolerance

T = TypeVar("T")

QueryResult = Finding | Measured
"""What came of asking: a difference, or what was read."""

Query = Callable[[], AdminCall[QueryResult]]
Evaluator = Fold | Query
"""How a check is judged: event by event, or by a query."""


@dataclass(frozen=True, slots=True)
class FleetSnapshot:
    """The fleet at the start of a phase: everything a fold needs besides the events."""

    prefix: str
    """Prefix of every serial on a shared server."""
    stages: Mapping[str, str]
    """The stage of each device; empty while it is off."""
    lane: Lane | None = Lane.DEVICE
    """The source of events about devices: the devices themselves, or the server if they are external programs; None
    for both: the server for those that boards play."""
    hide: Callable[[str], str] = str
    """Masks secrets, to match events of a stored trace, which are masked."""
    on: frozenset[str] = frozenset()
    """The devices that are on."""
    heard: frozenset[str] = frozenset()
    """The devices that the server has heard so far; only where it is the source of their events."""
    began_us: int = 0
    watch: ModelWatch | None = None
    """Follows the devices with their models, where the scenario asks for that."""
    played: frozenset[str] = frozenset()
    """The devices that boards play."""
    boards: Mapping[str, str] = field(default_factory=dict)
    """Role -> board."""
    run: str = ""
    """What `{run}` stands for."""
    read_body: Callable[[bytes], object] = read_json
    """What `body_has` looks into. Raises NotJson."""

    def serials(self, only: str = "*") -> list[str]:
        """The devices whose serial, without the prefix, fits the glob."""
        return [serial for serial in self.stages if fnmatchcase(serial.removeprefix(self.prefix), only)]

    def lives(self, only: str = "*") -> Lives:
        """Which of the devices live, from now on. A program that the server has never heard may be dead."""
        opaque = self.on if self.lane is Lane.SERVER else self.played
        return Lives(self.serials(only), self.on - (opaque - self.heard), self.lane, self.played)

    def glob(self, only: str) -> str:
        """Returns the same glob over whole serials."""
        return only if only == "*" else self.prefix + only


def snapshot_of(context: RunContext) -> FleetSnapshot:
    devices = context.devices.values()
    stages = {one.serial: one.agent.stage if one.agent.is_on else "" for one in devices}
    on = frozenset(one.serial for one in devices if one.agent.is_on)
    return FleetSnapshot(
        context.prefix, stages, context.scenario.event_lane,
        on=on, heard=frozenset(context.heard), began_us=context.driver.now_us(), watch=context.model_watch,
        played=context.played, boards=context.boards.names if context.boards is not None else {},
        run=context.boards.run if context.boards is not None else "", read_body=context.platform.read_body,
    )  # fmt: skip


def evaluator_for(context: RunContext, words: CheckWord) -> Evaluator:
    """Returns the evaluator of a check; a fold starts watching now.

    Raises BrokenBench for steps of a server that tells none: `times: 0` would hold whatever it does.
    """
    if isinstance(words, StepsTaken) and not context.server.tells_steps:
        raise BrokenBench(
            f"{context.server.name} does not tell the steps that it takes; say `needs: [reference.reasons]` to skip "
            "the scenario there, or `control: URL` in the SERVER.yaml of a `fleetrig serve`"
        )
    query = _for_word(QUERIES, words)
    return fold_of(snapshot_of(context), words) if query is None else lambda: query(context, words)


def is_query(words: CheckWord) -> bool:
    """True when the check asks the server; the others watch events."""
    return _for_word(QUERIES, words) is not None


def is_recorded(words: CheckWord) -> bool:
    """True when a stored trace holds the result and no more: the server was asked, or the devices' own secrets."""
    return is_query(words) or isinstance(words, FollowsModel)


def fold_of(fleet: FleetSnapshot, words: CheckWord) -> Fold:
    """Returns the fold of a check, for the current state of the fleet."""
    make = _for_word(FOLDS, words)
    assert make is not None, f"{type(words).__name__} is in no table of the evaluators"
    return make(fleet, words)


def describe(words: CheckWord, fleet: FleetSnapshot) -> str:
    """Describes what is expected, before the run; several lines for an order."""
    return words.describe() or fold_of(fleet, words).expected


def times_per_device(fleet: FleetSnapshot, words: Sends | Receives | NoReplies) -> Fold:
    serials, lives = fleet.serials(words.only), fleet.lives(words.only)
    return event_folds.TimesPerDeviceFold(pattern_of(fleet, words), serials, words.times, lives)


def reaches(fleet: FleetSnapshot, words: Reaches) -> Fold:
    stages = {serial: fleet.stages[serial] for serial in fleet.serials(words.only)}
    needed = len(stages) if words.devices == "all" else words.devices
    return event_folds.ReachesFold(words.stage, stages, needed, fleet.began_us)


def order(fleet: FleetSnapshot, words: Order) -> Fold:
    """Counts the devices that all steps select."""
    steps = [step.arguments for step in words.steps]
    globs = {step.only for step in steps}
    serials = [one for one in fleet.serials() if all(fnmatchcase(one.removeprefix(fleet.prefix), g) for g in globs)]
    return event_folds.OrderFold([pattern_of(fleet, step) for step in steps], serials)


def never(fleet: FleetSnapshot, words: Never) -> Fold:
    seen = words.what.arguments
    return event_folds.NeverFold(pattern_of(fleet, seen), fleet.lives(seen.only))


def refused(fleet: FleetSnapshot, words: Refused) -> Fold:
    like = fleet.hide(words.reason_has or "")
    lives, devices = fleet.lives(words.only), fleet.glob(words.only)
    return event_folds.ServerEventsFold("refused", words.times, lives, device=devices, reason_has=like)


def steps(fleet: FleetSnapshot, words: StepsTaken) -> Fold:
    return StepsFold(words.in_order, words.times, fleet.lives(words.only), fleet.glob(words.only))


def fault_bit(fleet: FleetSnapshot, words: FaultBit) -> Fold:
    return event_folds.ServerEventsFold("fault", words.times, fleet.lives(), fault=words.kind)


def gap(fleet: FleetSnapshot, words: Gap) -> Fold:
    sent = exchange(fleet, words.between, words.only)
    on_us = {serial: fleet.began_us if serial in fleet.on else time_folds.OFF for serial in fleet.serials(words.only)}
    return time_folds.GapFold(sent, words.at_least_s or 0.0, words.at_most_s, on_us)


def rate(fleet: FleetSnapshot, words: Rate) -> Fold:
    sent = exchange(fleet, words.of, words.only)
    drawn_from_us = fleet.began_us if words.curve else None
    return time_folds.RateFold(sent, words.at_most, words.per_s, drawn_from_us=drawn_from_us, stops=words.stop)


def spread(fleet: FleetSnapshot, words: Spread) -> Fold:
    first_of = len(fleet.serials(words.only)) if words.first else None
    sent = exchange(fleet, words.of, words.only)
    return time_folds.SpreadFold(sent, words.peak_at_most, words.per_s, words.over_s, first_of)


def attempts(fleet: FleetSnapshot, words: Attempts) -> Fold:
    times = Times(at_least=words.at_least or 0, at_most=words.at_most)
    return event_folds.AttemptsFold(words.of, fleet.glob(words.only), times, fleet.lane)


def answered_within(fleet: FleetSnapshot, words: AnsweredWithin) -> Fold:
    limits_s = {name: limit for name, limit in (("p50", words.p50_s), ("p99", words.p99_s)) if limit is not None}
    answers = exchange(fleet, words.of, words.only, "received")
    return latency_folds.LatencyFold(answers, limits_s, stops=words.stop)


def errors(fleet: FleetSnapshot, words: Errors) -> Fold:
    ended = (exchange(fleet, words.of, words.only, kind) for kind in ("received", "no_reply", "downloaded"))
    return threshold_folds.ErrorsFold(tuple(ended), words.at_most, stops=words.stop)


def dropped(fleet: FleetSnapshot, words: Dropped) -> Fold:
    return threshold_folds.DroppedFold(exchange(fleet, words.of, words.only), words.at_most, stops=words.stop)


def time_to_online(fleet: FleetSnapshot, words: TimeToOnline) -> Fold:
    stages = {serial: fleet.stages[serial] for serial in fleet.serials(words.only)}
    given = {"p50": words.p50_s, "p99": words.p99_s, "all": words.at_most_s}
    limits_s = {share: limit for share, limit in given.items() if limit is not None}
    return threshold_folds.TimeToOnlineFold(stages, limits_s, fleet.began_us, stops=words.stop)


def backs_off(fleet: FleetSnapshot, words: BacksOff) -> Fold:
    return retry_folds.BacksOffFold(pause_rows(fleet, words), words.by)


def jitter(fleet: FleetSnapshot, words: Jitter) -> Fold:
    return retry_folds.JitterFold(pause_rows(fleet, words), words.at_least)


def pause_rows(fleet: FleetSnapshot, words: BacksOff | Jitter) -> retry_folds.PauseRows:
    sent, received, no_reply = (
        exchange(fleet, words.of, words.only, kind) for kind in ("sent", "received", "no_reply")
    )
    return retry_folds.PauseRows(sent, received, no_reply)


def keeps_running(fleet: FleetSnapshot, words: KeepsRunning) -> Fold:
    """What every phase expects of programs holds where none is on; what a file asks for does not."""
    must_run = not isinstance(words, ProgramsKeepRunning)
    return KeepsRunningFold(fleet.serials(words.only), fleet.on, must_run=must_run)


def follows_model(fleet: FleetSnapshot, words: FollowsModel) -> Fold:
    return FollowsModelFold(fleet.watch, fleet.serials(words.only), Tolerance(words.tolerance))


def prints(fleet: FleetSnapshot, words: Prints) -> Fold:
    board = next(iter(fleet.boards.values()), "the board") if words.board is None else fleet.boards[words.board]
    shown = words.line.replace(RUN_PLACE, fleet.run or RUN_PLACE)
    line = re.compile(words.line.replace(RUN_PLACE, re.escape(fleet.run or RUN_PLACE)))
    return PrintsFold(board, shown, line, words.times)


def exchange(fleet: FleetSnapshot, name: str, only: str, kind: str = "sent") -> Pattern:
    """One side of an exchange, by its name."""
    return Pattern(kind, name=name, device=fleet.glob(only), lane=fleet.lane)


FOLDS: Final[Mapping[type[CheckWord], Callable[[FleetSnapshot, Any], Fold]]] = {
    Sends: times_per_device,
    Receives: times_per_device,
    NoReplies: times_per_device,
    Reaches: reaches,
    Order: order,
    Never: never,
    Refused: refused,
    StepsTaken: steps,
    FaultBit: fault_bit,
    Gap: gap,
    Rate: rate,
    Spread: spread,
    AnsweredWithin: answered_within,
    Errors: errors,
    Dropped: dropped,
    TimeToOnline: time_to_online,
    Attempts: attempts,
    BacksOff: backs_off,
    Jitter: jitter,
    KeepsRunning: keeps_running,
    OneAddress: lambda _, words: OneAddressFold(),
    FollowsModel: follows_model,
    Prints: prints,
}
"""Words that are judged from events alone."""

QUERIES: Final[Mapping[type[CheckWord], Callable[[RunContext, Any], AdminCall[QueryResult]]]] = {
    Registry: query_registry,
    ManufacturingRecord: query_manufacturing_record,
    KeepsSecrets: query_secrets,
    UnitRecordSays: query_unit,
}
"""Words that are judged by asking: the server, or the programs of devices."""


def _for_word(table: Mapping[type[CheckWord], T], words: CheckWord) -> T | None:
    """Looks up a word, or the neutral model that a platform's own model extends."""
    return next((table[kind] for kind in type(words).__mro__ if kind in table), None)


def pattern_of(fleet: FleetSnapshot, words: SeenWord) -> Pattern:
    wanted = replace(_pattern(words, fleet.glob(words.only)), lane=fleet.lane, read_body=fleet.read_body)
    return redact(wanted, fleet.hide)


def fields_of(words: Sends) -> dict[str, str | None]:
    """The same for a pattern, which takes any name."""
    return {str(name): glob for name, glob in words.fields.items()}


def _pattern(words: SeenWord, device: str) -> Pattern:
    match words:
        case Sends():
            return Pattern(
                "sent", words.name or "", words.method or "", words.path or "", device,
                line=words.line or "", header=words.header, fields=fields_of(words), body_has=words.body_has,
            )  # fmt: skip
        case Receives():
            return Pattern(
                "received", words.name or "", device=device, status=words.status,
                line=words.line or "", header=words.header, body_has=words.body_has,
            )  # fmt: skip
        case NoReplies():
            return Pattern("no_reply", words.name or "", device=device)
        case Reaches():
            return Pattern("entered", device=device, stage=words.stage)
