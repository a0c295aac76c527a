"""CONF-V1: configurations read and written, snapshots taken and gone back to (spec 3.2).

What is written takes effect a second after the answer, and whatever goes wrong then is told to nobody.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, Final

from fleetrig.simulator.effects import Effect, Outcome
from fleetrig.simulator.flows.kura.birth import say_again_later
from fleetrig.simulator.flows.kura.components import (
    CLOUD_PID,
    DATA_PID,
    PROPERTIES,
    PROVISIONING_PID,
    TRANSPORT_PID,
    Component,
    values_of,
)
from fleetrig.simulator.flows.kura.configuration_xml import (
    Configurations,
    read_configurations,
    value_of,
    write_configurations,
    write_snapshot_ids,
)
from fleetrig.simulator.flows.kura.life import GatewayLife
from fleetrig.simulator.flows.kura.requests import (
    BAD_REQUEST,
    ERROR,
    Answer,
    Handling,
    Request,
    RequestRefused,
    bad_request,
    no_more_than,
    not_found,
    not_offered,
)

APPLIED_AFTER_S: Final = 1.0
SNAPSHOTS: Final = "snapshots"
MOST_SNAPSHOTS: Final = 10
"""The first, 0, stays; of the others the oldest goes."""


def handle_configuration(life: GatewayLife, request: Request) -> Handling:
    match request.method:
        case "GET":
            return _get(life, request)
        case "PUT":
            return _put(life, request)
        case "EXEC":
            return _execute(life, request)
        case _:
            raise not_offered(request.method)


def _get(life: GatewayLife, request: Request) -> Handling:
    yield from ()
    if not request.resources:
        raise bad_request()
    match request.resources[0]:
        case "configurations":
            return Answer(body=_listed(life, no_more_than(request, 2)[1:]))
        case "snapshots":
            return Answer(body=_snapshot(life, no_more_than(request, 2)[1:]))
        case _:
            raise not_found()


def _put(life: GatewayLife, request: Request) -> Handling:
    yield from ()
    if not request.resources:
        raise bad_request()
    if request.resources[0] != "configurations":
        raise not_found()
    only = no_more_than(request, 2)[1:]
    try:
        if not request.body:
            raise ValueError("no body")
        wanted = read_configurations(request.body)
    except ValueError:
        raise bad_request() from None
    wanted = {pid: values for pid, values in wanted.items() if not only or pid == only[0]}
    life.later(APPLIED_AFTER_S, lambda: apply_configurations(life, wanted))
    return Answer()


def _execute(life: GatewayLife, request: Request) -> Handling:
    if not request.resources:
        raise bad_request()
    match request.resources[0]:
        case "snapshot":
            no_more_than(request, 1)
            number = yield from take_snapshot(life)
            return Answer(body=write_snapshot_ids([number]))
        case "rollback":
            wanted = _number(no_more_than(request, 2)[1:], bad_request())
            life.later(APPLIED_AFTER_S, lambda: roll_back_to(life, wanted))
            return Answer()
        case _:
            raise not_found()


def configurations_of(life: GatewayLife) -> dict[str, dict[str, Any]]:
    """All that there are, in the order in which components begin."""
    own: dict[str, dict[str, Any]] = {
        TRANSPORT_PID: values_of(life.transport),
        DATA_PID: values_of(life.data),
        CLOUD_PID: values_of(life.cloud),
        PROVISIONING_PID: values_of(life.provisioning),
    }
    return own | {pid: values for pid, values in life.overrides.items() if pid not in own}


def types_of(life: GatewayLife) -> Mapping[str, Mapping[str, str]]:
    return {
        pid: {name: one.type for name, one in PROPERTIES[type(component)].items()}
        for pid, component in (
            (TRANSPORT_PID, life.transport), (DATA_PID, life.data), (CLOUD_PID, life.cloud),
            (PROVISIONING_PID, life.provisioning),
        )
    }  # fmt: skip


def _listed(life: GatewayLife, only: tuple[str, ...]) -> bytes:
    """An unknown pid is a list without anything in it."""
    found = configurations_of(life)
    shown = found if not only else {pid: found[pid] for pid in only if pid in found}
    return write_configurations(shown, types_of(life))


def apply_configurations(life: GatewayLife, wanted: Configurations) -> Generator[Effect, Outcome, None]:
    """Component by component; what one rejects the others still get. One snapshot is taken at the end."""
    before = life.cloud
    yield from life.configure(wanted)
    if wanted:
        yield from take_snapshot(life)
    if life.cloud != before:
        say_again_later(life)


# Snapshots


def snapshots_of(life: GatewayLife) -> dict[int, dict[str, Any]]:
    """Number -> what was configured otherwise than at the factory. The first is the factory's own."""
    found = life.memory.get(SNAPSHOTS)
    kept = found if isinstance(found, dict) else {"0": {}}
    return {int(number): dict(content) for number, content in kept.items() if isinstance(content, dict)}


def take_snapshot(life: GatewayLife) -> Generator[Effect, Outcome, int]:
    """Its number: the time in milliseconds, and later than that of any other."""
    now_ms = yield from life.clock_ms()
    kept = snapshots_of(life)
    number = max([now_ms, *(one + 1 for one in kept)])
    kept[number] = life.overrides
    newest = sorted(kept)[-MOST_SNAPSHOTS:]
    yield from life.keep(snapshots={str(one): kept[one] for one in sorted({0, *newest}) if one in kept})
    return number


def roll_back_to(life: GatewayLife, wanted: int | None) -> Generator[Effect, Outcome, None]:
    """To that snapshot, or to the last but one; one that is not there changes nothing, and nobody is told."""
    kept = snapshots_of(life)
    number = wanted if wanted is not None else sorted(kept)[-2] if len(kept) > 1 else None
    if number not in kept:
        return
    before = life.cloud
    yield from life.restore(kept[number])
    yield from take_snapshot(life)
    if life.cloud != before:
        say_again_later(life)


def _snapshot(life: GatewayLife, only: tuple[str, ...]) -> bytes:
    kept = snapshots_of(life)
    number = _number(only, RequestRefused(BAD_REQUEST))
    if number is None:
        return write_snapshot_ids(sorted(kept))
    if number not in kept:
        raise RequestRefused(ERROR, f"Snapshot {number} not found.")
    content = {pid: {**values_at_factory(life, pid), **values} for pid, values in kept[number].items()}
    return write_configurations(content, types_of(life))


def values_at_factory(life: GatewayLife, pid: str) -> dict[str, Any]:
    own: dict[str, Component] = {
        TRANSPORT_PID: life.settings.transport, DATA_PID: life.settings.data, CLOUD_PID: life.settings.cloud,
        PROVISIONING_PID: life.settings.provisioning,
    }  # fmt: skip
    return values_of(own[pid]) if pid in own else {}


def _number(given: tuple[str, ...], otherwise: RequestRefused) -> int | None:
    """None when none is given."""
    if not given:
        return None
    try:
        return int(value_of("Long", given[0]))
    except ValueError:
        raise otherwise from None
