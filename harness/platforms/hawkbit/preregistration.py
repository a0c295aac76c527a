"""Performing `preregister`: targets with their tokens and types, before the devices are switched on.

Targets are made with the account that the words name, types are looked up and made with the operator's: an account of
a manufacturing line needs CREATE_TARGET and no right to read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from fleetrig.harness.platforms.hawkbit.hawkbit_run import HawkbitRun
from fleetrig.harness.platforms.hawkbit.words import PreregisterTargets
from fleetrig.harness.scenario_file.unit_list import Unit, read_units
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.drivers.director import AdminCall, Director

TEXTS = ("name", "description")
"""Columns of a list, and words of `preregister`."""


def preregister(run: HawkbitRun, words: PreregisterTargets) -> Director[None]:
    """Makes the targets; with a list, its tokens and types are the ones that count. Raises BrokenBench."""
    account = run.admin_as(words.account)
    units = _units(run, words)
    type_names = {serial: name for serial in units if (name := run.types.get(serial, words.type)) is not None}
    type_ids = yield from _type_ids(run, words, dict.fromkeys(type_names.values()))
    id_of = {serial: type_ids[name] for serial, name in type_names.items()}
    targets = [_target_body(run, words, serial, unit, id_of.get(serial)) for serial, unit in units.items()]
    for start in range(0, len(targets), words.batch):
        yield from account.create_targets(targets[start : start + words.batch])


def _units(run: HawkbitRun, words: PreregisterTargets) -> Mapping[str, Unit | None]:
    """Serial on the server -> what a list says of it; None for a device of the fleet."""
    if words.csv is None:
        return dict.fromkeys(run.context.serials(words.only))
    units: dict[str, Unit | None] = {}
    for unit in read_units(words.csv):
        units[run.context.prefix + unit.serial] = unit
        run.learn_unit(run.context.prefix + unit.serial, unit)
    return units


def _type_ids(run: HawkbitRun, words: PreregisterTargets, names: Iterable[str]) -> AdminCall[Mapping[str, int]]:
    """Ids of these target types. A type that this run makes has the run's prefix on the server."""
    if not (wanted := list(names)):
        return {}
    known = yield from run.admin.target_types()
    ids: dict[str, int] = {}
    for name in wanted:
        made = run.context.prefix + name
        found = known.get(made, known.get(name))
        if found is None and words.create_type:
            run.made_types.add(made)
            found = yield from run.admin.create_target_type(made)
        if found is None:
            raise BrokenBench(_no_such_type(run, name, known))
        ids[name] = found
    return ids


def _no_such_type(run: HawkbitRun, name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}? Else" if near else ":"
    return (
        f"{run.context.server.name} has no target type {name!r}{hint} make it there, or say create_type: true, which "
        "makes it for the run"
    )


def _target_body(
    run: HawkbitRun, words: PreregisterTargets, serial: str, unit: Unit | None, type_id: int | None
) -> dict[str, Any]:
    body: dict[str, Any] = {"controllerId": serial, "securityToken": run.tokens[serial]}
    listed = {} if unit is None else unit.attributes
    for key in TEXTS:
        if text := listed.get(key) or getattr(words, key):
            body[key] = text.replace("{serial}", serial)
    return body if type_id is None else {**body, "targetType": type_id}
