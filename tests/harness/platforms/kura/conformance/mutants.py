"""Reference servers with one mistake each: what a conformance suite is good for is to find them.

A mutant is a change or two of single attributes of the platform's modules, made while one server runs. It names the
rows that have to find it; each of them has to, and the rows that it spares pass.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

from fleetrig.reference_server.platforms.kura.broker import broker
from fleetrig.reference_server.platforms.kura.broker.session_rules import SESSION_RULES
from fleetrig.reference_server.platforms.kura.payload.codec import decode, encode
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, Metric
from fleetrig.reference_server.platforms.kura.provisioning import dialogue, issuing
from fleetrig.reference_server.platforms.kura.state.settings import Settings
from tests.harness.conformance.code_changes import Change, applied, being, instead, then


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake."""

    name: str
    caught_by: tuple[str, ...]
    changes: tuple[Change, ...] = ()
    spares: tuple[str, ...] = ()
    """Rows near by that it leaves as they are."""
    settings: Settings = field(default_factory=Settings)
    is_silence: bool = False
    """Something never comes: rows that find it need not wait for it as long as for a server far away."""
    is_bug: bool = False
    """The server notices that it has one."""

    def applied(self) -> AbstractContextManager[None]:
        return applied(self.changes)


def mutant(
    name: str,
    rows: str,
    *changes: Change,
    spares: str = "",
    silence: bool = False,
    bug: bool = False,
    settings: Settings | None = None,
) -> Mutant:
    """`rows` and `spares` separated by blanks."""
    return Mutant(name, tuple(rows.split()), changes, tuple(spares.split()), settings or Settings(), silence, bug)


def rules(**changes: Any) -> Change:
    """Other rules of MQTT's sessions."""
    return (broker, "SESSION_RULES", being(replace(SESSION_RULES, **changes)))


# -- mistakes in what the dialogue says


def says(change: Callable[[KuraPayload], KuraPayload], *, of: str) -> Change:
    """Everything happens as it should, but another payload goes out: `material_payload`, `acknowledged`, `denied`."""
    return (issuing if of == "material_payload" else dialogue, of, then(change))


def with_metrics(**changes: Metric | None) -> Callable[[KuraPayload], KuraPayload]:
    """Metrics put or (None) taken away; dots are written as two underscores, hyphens as three."""

    def change(payload: KuraPayload) -> KuraPayload:
        named = {name.replace("___", "-").replace("__", "."): value for name, value in changes.items()}
        merged = {**payload.metrics, **named}
        return replace(payload, metrics={name: value for name, value in merged.items() if value is not None})

    return change


def resigned(change: Callable[[KuraPayload], KuraPayload]) -> Callable[[Any], Any]:
    """The bytes of a payload, with something else in it."""
    return then(lambda data: encode(change(decode(data))))


# -- mistakes in calls that may be refused


def not_refused(refusal: type[Exception], otherwise: Any = None) -> Callable[[Any], Any]:
    """A check that finds nothing wrong."""

    def unchecked(original: Any, *args: Any, **more: Any) -> Any:
        try:
            return original(*args, **more)
        except refusal:
            return otherwise

    return instead(unchecked)
