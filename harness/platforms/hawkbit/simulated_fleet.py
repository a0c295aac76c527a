"""The hawkBit devices of a simulation: who they are, what they hold, and how to read what the server answers."""

from __future__ import annotations

import json
import secrets as chance
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from fleetrig.harness.platforms.hawkbit.doctor.ids import MAX_CHARACTERS, is_refused_by_firewall
from fleetrig.harness.platforms.hawkbit.simulation_hints import NO_DOCUMENT
from fleetrig.harness.report.fleet_readings import NOTHING, Reading, Readings
from fleetrig.harness.report.version import VERSION
from fleetrig.harness.scenario_file.unit_list import Unit
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.identity import (
    ClientCertificate,
    Credential,
    DeviceIdentity,
    GatewayToken,
    TargetToken,
)
from fleetrig.simulator.flows.hawkbit.confirmation_policy import Consent
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings
from fleetrig.simulator.flows.hawkbit.flow import HawkbitDevice
from fleetrig.simulator.flows.hawkbit.messages import read_document, sleep_s

MOST_MISTAKES: Final = 10
"""Of a list, told at once."""
DEFAULT_ATTRIBUTES: Final = {"simulated_by": f"fleetrig {VERSION}"}
"""So that a server that asks gets something, and an operator can tell these targets from real ones."""


def check_serials(units: Sequence[Unit], template: str) -> tuple[Unit, ...]:
    """The same units. Raises UsageError for names that no URL can carry to hawkBit."""
    for unit in units:
        check_id(unit.serial, f"--serial {template!r}")
    return tuple(units)


def check_id(serial: str, where: str) -> None:
    """Raises UsageError for a controllerId that never reaches the server's device interface."""
    if why := why_no_id(serial):
        raise UsageError(f"{where}: {why}")


def why_no_id(serial: str) -> str:
    """Why no device of this name gets through to the server's device interface; empty when it does."""
    if is_refused_by_firewall(serial):
        return (f"hawkBit's URL firewall answers 400 to every request of a device called {serial!r}: an id may hold no "
                "% ; / \\ and no line end")  # fmt: skip
    if len(serial) > MAX_CHARACTERS:
        return f"an id of {len(serial)} characters; a target may have {MAX_CHARACTERS} at most"
    return ""


def consent_of(word: str, option: str) -> Consent | None:
    """hawkBit's own word, or `none` for devices that leave the answer to an operator. Raises UsageError."""
    if word == "none":
        return None
    try:
        return Consent(word)
    except ValueError:
        raise UsageError(f"{option} {word!r}: expected {', '.join(Consent)} or none") from None


def check_listed(units: Sequence[Unit], path: Path, *, with_tokens: bool) -> tuple[Unit, ...]:
    """The same units of a list. Raises UsageError with every line of a device that could not even ask."""
    found = ((unit, _why_useless(unit, with_tokens=with_tokens)) for unit in units)
    mistakes = [f"{path.name}:{unit.line}: {why}" for unit, why in found if why]
    if rest := mistakes[MOST_MISTAKES:]:
        mistakes[MOST_MISTAKES:] = [f"and {len(rest):,} more lines of {path.name}"]
    if mistakes:
        raise UsageError("\n".join(mistakes))
    return tuple(units)


def _why_useless(unit: Unit, *, with_tokens: bool) -> str:
    if with_tokens and unit.token is None:
        return f"{unit.serial} has no token; expected the columns serial and token"
    return why_no_id(unit.serial)


def with_fresh_tokens(units: Sequence[Unit]) -> tuple[Unit, ...]:
    """Each with a token as hawkBit itself makes them: 16 random bytes in hex."""
    return tuple(replace(unit, token=chance.token_hex(16)) for unit in units)


def build_agents(
    units: Sequence[Unit],
    tenant: str,
    settings: HawkbitSettings,
    gateway_token: str | None,
    certificates: Mapping[str, ClientCertificate] | None = None,
) -> tuple[Agent, ...]:
    """All of one make; a unit's own attributes come on top of the shared ones, its certificate before its token."""
    agents = []
    for unit in units:
        own = replace(settings, attributes={**settings.attributes, **unit.attributes}) if unit.attributes else settings
        certificate = (certificates or {}).get(unit.serial)
        behaviour = HawkbitDevice(own, certificate or _credential(unit, gateway_token))
        agents.append(Agent(DeviceIdentity(unit.serial, tenant, gateway=unit.gateway), behaviour, certificate))
    return tuple(agents)


def _credential(unit: Unit, gateway_token: str | None) -> Credential | None:
    if gateway_token is not None:
        return GatewayToken(gateway_token)
    return None if unit.token is None else TargetToken(unit.token)


NOT_MODIFIED: Final = 304
ACTIVITIES: Final = {
    "poll": "polling",
    "configData": "sending attributes",
    "deploymentBase": "reading its order",
    "cancelAction": "reading a cancel",
    "confirmationBase": "asked before an update",
    "download": "downloading {version}",
}


def _is_good(name: str, answer: Envelope) -> bool:
    match answer:
        case HttpResponse(status=status) if status < 300:
            return not _lacks_document(name, answer)
        case HttpResponse(status=status):
            return status == NOT_MODIFIED
        case _:
            return False


def _word(name: str, answer: Envelope) -> str:
    """What a poll is answered by another server, else the line of the answer."""
    is_strange = isinstance(answer, HttpResponse) and answer.status < 300 and _lacks_document(name, answer)
    return NO_DOCUMENT if is_strange else answer.line


def _lacks_document(name: str, answer: HttpResponse) -> bool:
    """The first byte tells: every poll is looked at."""
    return name == "poll" and not body_bytes(answer.body).startswith(b"{")


def _read(name: str, sent: Envelope | None, answer: Envelope) -> Reading:
    match name, sent, answer:
        case "poll", _, HttpResponse():
            return Reading(interval_s=sleep_s(read_document(answer) or {}))
        case "configData", _, _:
            return Reading(has_sent_attributes=True)
        case "deploymentBase", _, HttpResponse():
            return Reading(version=_version(answer))
        case "feedback-closed", HttpRequest(), _ if result := _result(sent):
            return Reading(update=sent.path, update_passed=result == "success")
        case _:
            return NOTHING


def _version(answer: HttpResponse) -> str:
    match read_document(answer):
        case {"deployment": {"chunks": [{"version": str(version)}, *_]}}:
            return version
        case _:
            return ""


def _result(report: HttpRequest) -> str:
    """`success` or `failure` of a deployment; empty for a cancel, and where the report does not say."""
    if "/deploymentBase/" not in report.path:
        return ""
    body: Mapping[str, object] = json.loads(body_bytes(report.body))
    match body:
        case {"status": {"result": {"finished": str(finished)}}} if finished in ("success", "failure"):
            return finished
        case _:
            return ""


READINGS: Final = Readings("poll", ACTIVITIES, "reporting", _is_good, _read, _word)
