"""Entries of `do` and `expect`: the tables of words as models with a field for each word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, TypeVar

from pydantic import create_model

from fleetrig.harness.scenario_file.action_words import ActionWord
from fleetrig.harness.scenario_file.board_check_words import Prints, UnitRecordSays
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
    Reaches,
    Receives,
    Refused,
    Registry,
    Sends,
    StepsTaken,
)
from fleetrig.harness.scenario_file.entry import OneWord
from fleetrig.harness.scenario_file.measure_words import Attempts, BacksOff, Gap, Jitter, Rate, Spread
from fleetrig.harness.scenario_file.threshold_words import AnsweredWithin, Dropped, Errors, TimeToOnline
from fleetrig.harness.scenario_file.values import Cite
from fleetrig.harness.verdict import Severity

Entry = TypeVar("Entry", bound=OneWord)

CHECK_WORDS: Final[Mapping[str, type[CheckWord]]] = {
    "sends": Sends,
    "receives": Receives,
    "no_reply": NoReplies,
    "reaches": Reaches,
    "order": Order,
    "never": Never,
    "registry": Registry,
    "gap": Gap,
    "rate": Rate,
    "answered_within": AnsweredWithin,
    "errors": Errors,
    "dropped": Dropped,
    "time_to_online": TimeToOnline,
    "attempts": Attempts,
    "spread": Spread,
    "backs_off": BacksOff,
    "jitter": Jitter,
    "refused": Refused,
    "steps": StepsTaken,
    "fault": FaultBit,
    "record": ManufacturingRecord,
    "keeps_running": KeepsRunning,
    "keeps_secrets": KeepsSecrets,
    "one_address": OneAddress,
    "follows_model": FollowsModel,
    "prints": Prints,
    "unit": UnitRecordSays,
}


class Action(OneWord):
    """One thing to do: a word, and its arguments under it."""

    @property
    def arguments(self) -> ActionWord:
        found: ActionWord = getattr(self, self.word)
        return found


class Check(OneWord):
    """One check: a word with its arguments, its severity, and the contract rows that it proves."""

    beside: ClassVar[frozenset[str]] = frozenset({"severity", "cites"})

    severity: Severity = Severity.ERROR
    """A warning does not fail the scenario."""
    cites: tuple[Cite, ...] = ()
    """The rows of the contract that this check proves."""

    @property
    def arguments(self) -> CheckWord:
        found: CheckWord = getattr(self, self.word)
        return found


def with_words(entry: type[Entry], words: Mapping[str, Any]) -> type[Entry]:
    """The entry with a field for each word; its name and its help stay."""
    fields: dict[str, Any] = {word: (model | None, None) for word, model in words.items()}
    return create_model(entry.__name__, __base__=entry, __doc__=entry.__doc__, **fields)


NeutralCheck: Final = with_words(Check, CHECK_WORDS)
"""A check whose `registry` knows no platform's words."""
