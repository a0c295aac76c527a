"""The names in hawkBit's vocabulary are those that its flow really yields, and those that its server can hear."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fleetrig.harness.platforms.hawkbit.device_call import INSIDE, UNKNOWN, device_call
from fleetrig.harness.platforms.hawkbit.vocabulary import EXCHANGES, MOMENTS, PROGRAM_EXCHANGES
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import Expanded, expand
from fleetrig.harness.scenario_file.template import read_scenario
from fleetrig.harness.verdict import Verdict
from fleetrig.simulator.agent import cut_points, effect_name
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.effects import Effect
from tests.harness.broken_devices import changing
from tests.harness.command import PROJECT
from tests.harness.runs import HEAD, write_scenario

LIBRARY = PROJECT / "scenarios" / "hawkbit"
REJECTS = """
    phases:
      - name: installed, but nobody hears of it
        faults: [{fault: overload, hits: "POST */feedback", for: 2m}]
        do: [preregister, power_on, {deploy: {version: "1"}}]
        within: 60s
        expect: [{sends: {name: feedback-closed}}]
      - name: then called off
        do: cancel
        within: 60s
        expect: [{sends: {name: feedback-rejected}}]
"""
WAITS = """
    phases:
      - name: between two links of a poll it is asked to wait
        faults: [{fault: overload, hits: "GET */deploymentBase/*", times: 1, retry_after: 2s}]
        do: [preregister, {deploy: {version: "1", before_contact: true}}, power_on]
        within: 60s
        expect: [{sends: {name: configData}}]
"""
LETS_THE_SERVER_CONFIRM = """
    phases:
      - name: from now on the server confirms by itself
        do: [preregister, power_on]
        within: 60s
        expect: [{sends: {name: activateAutoConfirm}}]
      - name: and no longer
        do: {set_confirmation: {auto_confirm: deactivate}}
        within: 60s
        expect: [{sends: {name: deactivateAutoConfirm}}]
"""
CONFIRMS = HEAD.replace("count: 2", "count: 2, confirmation: {auto_confirm: activate}").replace(
    "settings: {", "settings: {user.confirmation.flow.enabled: true, "
)


def runs(folder: Path) -> list[Expanded]:
    """Every scenario with simulated devices, one line of its matrix each, and the rare things.

    Repeated power cuts add no names.
    """
    paths = [path for path in sorted(LIBRARY.glob("*.yaml")) if path.stem != "power_cuts"]
    alone = HEAD.replace("count: 2", "count: 1, attributes: {a: b}")
    paths += [
        write_scenario(folder, REJECTS, "hawkbit/rejects"),
        write_scenario(folder, WAITS, "hawkbit/waits", alone),
        write_scenario(folder, LETS_THE_SERVER_CONFIRM, "hawkbit/lets", CONFIRMS),
    ]
    return [expand(read_scenario(path, path.stem))[0] for path in paths]


@pytest.mark.slow
def test_the_vocabulary_names_what_the_flow_yields_no_more_and_no_less(tmp_path: Path) -> None:
    moments: set[str] = set()
    exchanges: set[str] = set()

    def noted(effect: Effect) -> Effect:
        (exchanges if len(cut_points(effect)) > 1 else moments).add(effect_name(effect))
        return effect

    for expanded in runs(tmp_path):
        options = RunOptions(results=tmp_path, behaviour=changing(does=noted))
        assert asyncio.run(run(expanded, options)).verdict is Verdict.PASSED, expanded.name
    assert exchanges == set(EXCHANGES)
    assert moments == set(MOMENTS)


def test_no_name_stands_twice() -> None:
    names = (*EXCHANGES, *PROGRAM_EXCHANGES, *MOMENTS)
    assert len(set(names)) == len(names)


def request(path: str, body: bytes = b"", method: str = "POST") -> HttpRequest:
    return HttpRequest(method, "http://h", f"/DEFAULT/controller/v1/d{path}", (), body)


def test_what_a_program_can_be_called_is_known() -> None:
    known = {*EXCHANGES, *PROGRAM_EXCHANGES}
    heard = {name for name, _ in INSIDE} | {UNKNOWN}
    assert heard | {f"{name}-head" for name in heard} <= known
    said = [f'{{"status": {{"execution": "{word}"}}}}' for word in ("proceeding", "resumed", "canceled", "scheduled")]
    said += [f'{{"confirmation": "{word}"}}' for word in ("confirmed", "denied")]
    for body in said:
        call = device_call(request("/deploymentBase/1/feedback", body.encode()))
        assert call is not None
        assert call.name in known
    odd = device_call(request("/nothing", method="HEAD"))
    assert odd is not None
    assert odd.name in known
