"""The two tables of a scenario's words, and all words from one place."""

from __future__ import annotations

from typing import ClassVar

from fleetrig.harness.scenario_file.action_words import (
    AttributesMode,
    Cancel,
    Configure,
    Delete,
    Deploy,
    DeviceSelector,
    PowerCut,
    PowerCycle,
    PowerOn,
    Preregister,
    RequestAttributes,
    Rotate,
    SetAttributes,
    Wait,
)
from fleetrig.harness.scenario_file.check_words import (
    ActionStatus,
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
    Seen,
    Sends,
    Spread,
    TargetState,
)
from fleetrig.harness.scenario_file.entry import OneWord
from fleetrig.harness.scenario_file.values import Cite
from fleetrig.harness.verdict import Severity

__all__ = [
    "Action",
    "ActionStatus",
    "ActionWord",
    "Attempts",
    "AttributesMode",
    "BacksOff",
    "Cancel",
    "Check",
    "CheckWord",
    "Configure",
    "Delete",
    "Deploy",
    "DeviceSelector",
    "FaultBit",
    "Gap",
    "Jitter",
    "KeepsRunning",
    "KeepsSecrets",
    "Never",
    "NoReply",
    "OneAddress",
    "Order",
    "PowerCut",
    "PowerCycle",
    "PowerOn",
    "Preregister",
    "Rate",
    "Reaches",
    "Receives",
    "Record",
    "Refused",
    "Registry",
    "RequestAttributes",
    "Rotate",
    "Seen",
    "Sends",
    "SetAttributes",
    "Spread",
    "TargetState",
    "Wait",
]  # fmt: skip

ActionWord = (
    Configure | Preregister | PowerOn | PowerCut | PowerCycle | Wait
    | Deploy | Cancel | Delete | Rotate | SetAttributes | RequestAttributes
)  # fmt: skip


class Action(OneWord):
    """One thing to do: a word, and its arguments under it."""

    configure: Configure | None = None
    preregister: Preregister | None = None
    power_on: PowerOn | None = None
    power_cut: PowerCut | None = None
    power_cycle: PowerCycle | None = None
    wait: Wait | None = None
    deploy: Deploy | None = None
    cancel: Cancel | None = None
    delete: Delete | None = None
    rotate: Rotate | None = None
    set_attributes: SetAttributes | None = None
    request_attributes: RequestAttributes | None = None

    @property
    def arguments(self) -> ActionWord:
        found: ActionWord = getattr(self, self.word)
        return found


CheckWord = (
    Sends | Receives | NoReply | Reaches | Order | Never | Registry
    | Gap | Rate | Attempts | Spread | BacksOff | Jitter | Refused | FaultBit | Record
    | KeepsRunning | KeepsSecrets | OneAddress
)  # fmt: skip


class Check(OneWord):
    """One thing to expect: a word, its arguments under it, and beside it how bad a failure is and what it proves."""

    beside: ClassVar[frozenset[str]] = frozenset({"severity", "cites"})

    sends: Sends | None = None
    receives: Receives | None = None
    no_reply: NoReply | None = None
    reaches: Reaches | None = None
    order: Order | None = None
    never: Never | None = None
    registry: Registry | None = None
    gap: Gap | None = None
    rate: Rate | None = None
    attempts: Attempts | None = None
    spread: Spread | None = None
    backs_off: BacksOff | None = None
    jitter: Jitter | None = None
    refused: Refused | None = None
    fault: FaultBit | None = None
    record: Record | None = None
    keeps_running: KeepsRunning | None = None
    keeps_secrets: KeepsSecrets | None = None
    one_address: OneAddress | None = None
    severity: Severity = Severity.ERROR
    """A warning does not fail the scenario."""
    cites: tuple[Cite, ...] = ()
    """The rows of the contract that this check proves."""

    @property
    def arguments(self) -> CheckWord:
        found: CheckWord = getattr(self, self.word)
        return found
