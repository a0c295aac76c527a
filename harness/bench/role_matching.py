"""Which boards of a bench take the roles of a scenario: in the order of both files, each board once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from fleetrig.harness.bench.bench_file import BoardEntry, Desk
from fleetrig.harness.scenario_file.boards_block import BoardRole, Roles

Missing = Callable[[str], str]
"""Board -> why it cannot be used on this machine; empty if it can."""


class NoFittingBoard(Exception):
    """The bench lacks a board for a role; `str()` is the reason why the scenario is skipped."""


def matched(roles: Roles, desk: Desk, missing: Missing = lambda _: "") -> dict[str, str]:
    """Role -> board. A choice that leaves nobody for a later role is taken back. Raises NoFittingBoard."""
    names = list(desk.entries)
    fitting = {role: [name for name in names if fits(wanted, desk.entries[name])] for role, wanted in roles.items()}
    usable = {role: [name for name in found if not missing(name)] for role, found in fitting.items()}
    found = _assigned(list(roles), usable, {})
    if found is None:
        raise NoFittingBoard(_why_not(roles, desk, fitting, usable, missing))
    return {role: found[role] for role in roles}


def fits(wanted: BoardRole, entry: BoardEntry) -> bool:
    return wanted.type in ("", entry.type) and set(wanted.offers) <= set(entry.offers)


def _assigned(roles: list[str], usable: Mapping[str, list[str]], taken: dict[str, str]) -> dict[str, str] | None:
    if not roles:
        return taken
    for name in usable[roles[0]]:
        if name not in taken.values():
            found = _assigned(roles[1:], usable, {**taken, roles[0]: name})
            if found is not None:
                return found
    return None


def _why_not(
    roles: Roles, desk: Desk, fitting: Mapping[str, list[str]], usable: Mapping[str, list[str]], missing: Missing
) -> str:
    for role, wanted in roles.items():
        if not fitting[role]:
            return f"{desk.title} has no board for {role}: {_lacking(wanted, desk.entries.values())}"
        if not usable[role]:
            return f"no board for {role} can be used here: {missing(fitting[role][0])}"
    return f"{desk.title} has too few boards for {', '.join(roles)}: each takes one of its own"


def _lacking(wanted: BoardRole, entries: Collection[BoardEntry]) -> str:
    """The word that is missing, as near as it can be named."""
    of_type = [entry for entry in entries if wanted.type in ("", entry.type)]
    if not of_type:
        return f"none is of type {wanted.type}"
    offered = {word for entry in of_type for word in entry.offers}
    kind = f"of type {wanted.type} " if wanted.type else ""
    nowhere = [word for word in wanted.offers if word not in offered]
    if nowhere:
        return f"none {kind}offers {' and '.join(nowhere)}"
    return f"none {kind}offers {' and '.join(wanted.offers)} together"
