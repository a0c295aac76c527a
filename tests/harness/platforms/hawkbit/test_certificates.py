"""Devices with certificates: each rule broken by a server that lacks exactly it, and found; power cuts."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.harness.verdict import Report, Verdict
from fleetrig.reference_server import client_certificates
from fleetrig.reference_server.client_certificates import ClientAuthorities
from fleetrig.reference_server.platforms.hawkbit.request import reverse_proxy
from fleetrig.reference_server.platforms.hawkbit.state.repository import Repository
from fleetrig.simulator.contract.errors import BrokenBench
from tests.harness.bench_fixture import MODELS, BenchFixture
from tests.harness.runs import run_once

SCENARIOS = Path(__file__).parents[4] / "scenarios"

CUT = """
    scenario: A power cut loses nothing, certificates or not
    devices: {flow: hawkbit, serial: "HB-{n}", credential: certificate, attributes: {hw: "2"}, install_time: 1s,
              backoff: {policy: fixed, base: 1s}}
    server: {settings: {pollingTime: "00:00:01"}}
"""
CUT_PHASES = """
    phases:
      - name: registered and updated with the power gone once
        do:
          - preregister
          - deploy: {version: "1.0", size: 4KiB, before_contact: true}
          - power_on: {cut_at: "%s", off: 1s}
        within: 30s
        expect: [{registry: {in_state: in_sync, installed: "1.0", attributes: {hw: "2"}}}, {refused: {times: 0}}]
"""


def run_shipped(name: str, folder: Path, **options: Any) -> Report:
    (expanded,) = plan([f"hawkbit/{name}"], SCENARIOS)
    return asyncio.run(run(expanded, RunOptions(results=folder, **options)))


def accept_every_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_certificates, "_out_of_date", lambda *_: "")


def accept_every_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ClientAuthorities, "_path", lambda _, own, others: ([own], ""))


def believe_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that does not tell the certificate's name but the one that is asked for."""
    monkeypatch.setattr(reverse_proxy, "as_nginx_tells", lambda name: name.removeprefix("not-"))


def never_forget_an_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    known: list[str] = []
    trusted = Repository._trusted

    def remembered(repository: Repository, authorities: str) -> list[str]:
        known.extend(trusted(repository, authorities))
        return known

    monkeypatch.setattr(Repository, "_trusted", remembered)


def trust_only_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose list of authorities can hold one."""
    trusted = Repository._trusted
    monkeypatch.setattr(Repository, "_trusted", lambda repository, text: trusted(repository, text)[-1:])


def tell_no_issuer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_certificates, "name_hash", lambda name: "00000000")


def tell_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reverse_proxy, "as_nginx_tells", lambda name: "")


@pytest.mark.parametrize(
    ("name", "mutant"),
    [
        ("certificate_expired", accept_every_date),
        ("certificate_untrusted", accept_every_authority),
        ("certificate_foreign", believe_the_path),
        ("certificate_rotation", never_forget_an_authority),
        ("certificate_rotation", trust_only_the_newest),
        ("certificate", tell_no_issuer),
        ("certificate", tell_no_name),
    ],
)
def test_a_server_without_the_rule_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, mutant: Any
) -> None:
    assert run_shipped(name, tmp_path).verdict is Verdict.PASSED
    mutant(monkeypatch)
    assert run_shipped(name, tmp_path).verdict is Verdict.FAILED


def test_the_generation_before_1_0_has_other_headers(tmp_path: Path) -> None:
    for name in ("certificate", "certificate_foreign"):
        assert run_shipped(name, tmp_path, profile="0.9").verdict is Verdict.PASSED


def test_the_same_seed_gives_the_same_run_to_the_byte(tmp_path: Path) -> None:
    traces = [tmp_path / f"{number}.jsonl" for number in (1, 2)]
    for trace in traces:
        run_shipped("certificate_rotation", tmp_path, trace=trace)
    assert traces[0].read_bytes() == traces[1].read_bytes()


@pytest.mark.parametrize("cut", ["poll#1:sent", "download#1:answered", "feedback-closed#1:sent"])
def test_a_power_cut_loses_no_certificate(tmp_path: Path, cut: str) -> None:
    assert run_once(tmp_path, CUT_PHASES % cut, head=CUT).verdict is Verdict.PASSED


@pytest.mark.slow
def test_a_power_cut_loses_no_certificate_in_real_time(tmp_path: Path) -> None:
    assert run_once(tmp_path, CUT_PHASES % "poll#1:sent", head=CUT, real_time=True).verdict is Verdict.PASSED


def test_a_certificate_cannot_be_rotated_for_nobody() -> None:
    with pytest.raises(ValueError, match="changes nothing"):
        MODELS.action.model_validate({"rotate": {"what": "certificate", "tell_device": False}})


def test_a_remote_proxy_cannot_be_told_of_another_authority(tmp_path: Path) -> None:
    """Nobody gave the run a way to it."""
    bench = BenchFixture(tmp_path)
    with pytest.raises(BrokenBench, match="needs: \\[reference\\]"):
        bench.do("rotate", what="authority")
