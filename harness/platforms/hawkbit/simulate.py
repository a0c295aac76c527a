"""The hawkBit devices of a simulation: who they are, what they hold, and how to read what they are told."""

from __future__ import annotations

import json
import secrets as chance
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from fleetrig.harness.report.fleet_state import Readings
from fleetrig.harness.run.version import VERSION
from fleetrig.harness.scenario_file.unit_list import Unit, read_units
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.identity import Credential, DeviceIdentity, GatewayToken, TargetToken
from fleetrig.simulator.fleet import numbered
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings
from fleetrig.simulator.flows.hawkbit.flow import HawkbitDevice
from fleetrig.simulator.flows.hawkbit.messages import read_document, sleep_s

DEFAULT_ATTRIBUTES: Final = {"simulated_by": f"fleetrig {VERSION}"}
"""So that a server that asks gets something, and an operator can tell these targets from real ones."""


def numbered_units(template: str, count: int) -> tuple[Unit, ...]:
    """Units without tokens. Raises UsageError for a template that names nobody, or two the same."""
    try:
        serials = [identity.serial for identity in numbered(template, count, "")]
    except (LookupError, AttributeError):
        raise UsageError(
            f"--serial {template!r} names something else than n; write for instance 'SIM-{{n:04d}}'"
        ) from None
    except ValueError as wrong:
        raise UsageError(f"--serial: {wrong}") from None
    if any(not serial or any(char.isspace() for char in serial) for serial in serials):
        raise UsageError(f"--serial {template!r} holds a blank, which hawkBit refuses in a controllerId")
    return tuple(map(Unit, serials))


def with_fresh_tokens(units: Sequence[Unit]) -> tuple[Unit, ...]:
    """Each with a token as hawkBit itself makes them: 16 random bytes in hex."""
    return tuple(replace(unit, token=chance.token_hex(16)) for unit in units)


def listed_units(path: Path, count: int | None) -> tuple[Unit, ...]:
    """The first `count` units of a list. Raises UsageError (`file:line: …`)."""
    try:
        units = read_units(path)
    except OSError as wrong:
        raise UsageError(f"cannot read {path}: {wrong.strerror}") from None
    except ValueError as wrong:
        raise UsageError(str(wrong)) from None
    if (without := next((unit for unit in units if unit.token is None), None)) is not None:
        raise UsageError(f"{path.name}: {without.serial} has no token; expected the columns serial and token")
    if count is not None and count > len(units):
        raise UsageError(f"{path.name} lists {len(units)} units, fewer than --count {count}")
    return units[:count]


def attributes_from(pairs: Sequence[str]) -> dict[str, str]:
    """`KEY=VALUE` each; later ones win."""
    attributes = {}
    for pair in pairs:
        key, mark, text = pair.partition("=")
        if not mark or not key:
            raise UsageError(f"--attribute takes KEY=VALUE, got {pair!r}")
        attributes[key] = text
    return attributes


def build_agents(
    units: Sequence[Unit], tenant: str, settings: HawkbitSettings, gateway_token: str | None
) -> tuple[Agent, ...]:
    """All of one make; a unit's own attributes come on top of the shared ones."""
    agents = []
    for unit in units:
        own = replace(settings, attributes={**settings.attributes, **unit.attributes}) if unit.attributes else settings
        agents.append(Agent(DeviceIdentity(unit.serial, tenant), HawkbitDevice(own, _credential(unit, gateway_token))))
    return tuple(agents)


def _credential(unit: Unit, gateway_token: str | None) -> Credential | None:
    if gateway_token is not None:
        return GatewayToken(gateway_token)
    return None if unit.token is None else TargetToken(unit.token)


def _interval_s(answer: HttpResponse) -> float | None:
    return sleep_s(read_document(answer) or {})


def _version(answer: HttpResponse) -> str:
    match read_document(answer):
        case {"deployment": {"chunks": [{"version": str(version)}, *_]}}:
            return version
        case _:
            return ""


def _result(report: HttpRequest) -> str:
    """Of a deployment, not of a cancel."""
    if "/deploymentBase/" not in report.path:
        return ""
    body: Mapping[str, object] = json.loads(body_bytes(report.body))
    match body:
        case {"status": {"result": {"finished": str(finished)}}}:
            return finished
        case _:
            return ""


READINGS: Final = Readings(_interval_s, _version, _result)
