"""Reference servers with one mistake each: what a conformance suite is good for is to find them.

A mutant is a change or two of single attributes of the platform's modules, made while one server runs. It names the
rows that have to find it; each of them has to, and the rows that it spares pass.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

from fleetrig.reference_server.platforms.hono.management import api
from fleetrig.reference_server.platforms.hono.management.replies import Reply
from fleetrig.reference_server.platforms.hono.state import generations, registry
from fleetrig.reference_server.platforms.hono.state.settings import Settings
from fleetrig.simulator.contract.http import HttpResponse
from tests.harness.conformance.code_changes import Change, applied, being, instead

CURRENT = generations.Profile.CURRENT


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

    def applied(self) -> AbstractContextManager[None]:
        return applied(self.changes)


def mutant(
    name: str, rows: str, *changes: Change, spares: str = "", silence: bool = False, settings: Settings | None = None
) -> Mutant:
    """`rows` and `spares` separated by blanks."""
    return Mutant(name, tuple(rows.split()), changes, tuple(spares.split()), settings or Settings(), silence)


def with_traits(**changes: Any) -> Change:
    """The newest generation with one trait of another."""
    traits = {**generations.TRAITS, CURRENT: replace(generations.TRAITS[CURRENT], **changes)}
    return (registry, "TRAITS", being(traits))


# -- mistakes in what the management API answers


def replies(change: Callable[[Reply], Reply], *, to: int) -> Change:
    """Everything happens as it should, but what is told with this status is something else."""

    def changed(original: Any, reply: Reply) -> HttpResponse:
        response: HttpResponse = original(change(reply) if reply.status == to else reply)
        return response

    return (api, "respond", instead(changed))


def shows(change: Callable[[Any], Any]) -> Change:
    """Other documents than those that are kept."""
    return replies(lambda reply: replace(reply, document=change(reply.document)), to=200)


def refuses_with(status: int, text: str) -> Change:
    """Another status where the error has this text."""

    def changed(original: Any, before: int, error: str, *more: Any) -> HttpResponse:
        response: HttpResponse = original(status if text in error else before, error, *more)
        return response

    return (api, "error_response", instead(changed))


def without(*names: str) -> Callable[[Any], Any]:
    """An object without these members; anything else as it is."""

    def change(document: Any) -> Any:
        return {k: v for k, v in document.items() if k not in names} if isinstance(document, dict) else document

    return change


def in_each(member: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Any], Any]:
    """Each object of a member that is a list."""

    def changed(document: Any) -> Any:
        if not isinstance(document, dict) or member not in document:
            return document
        return {**document, member: [change(one) for one in document[member]]}

    return changed
