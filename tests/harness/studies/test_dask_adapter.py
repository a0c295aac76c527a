"""The same runs on a Dask cluster: a real one, of two processes on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetrig.harness.studies import dask_adapter
from fleetrig.harness.studies.case import CaseResult, Performer, perform
from fleetrig.harness.studies.case_store import CaseStore, digest_of
from fleetrig.harness.studies.crew import Crew, local_crew
from fleetrig.harness.studies.dask_adapter import dask_crew
from fleetrig.harness.studies.study_run import orders_left, run_orders
from fleetrig.harness.studies.sweep import StudyPlan
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from tests.harness.studies.made import STUDY, plan_of

distributed = pytest.importorskip("distributed")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0", host="127.0.0.1"
    ) as cluster:
        yield cluster.scheduler_address


def done_by(crew: Crew, plan: StudyPlan, path: Path, performer: Performer) -> list[CaseResult]:
    store = CaseStore(path, digest_of(plan, 1), plan.runs)
    with store.open() as writer:
        run_orders(orders_left(plan, 1, ()), crew, performer, writer, lambda: None)
    return sorted(store.done, key=lambda one: one.number)


def test_a_cluster_gives_the_results_of_this_machine(address: str, tmp_path: Path) -> None:
    plan = plan_of(tmp_path, STUDY.replace("sweep:", "params: {devices: 500}\n    sweep:"))
    with dask_crew(address) as crew:
        assert crew.size == 2
        theirs = done_by(crew, plan, tmp_path / "theirs.jsonl", perform)
    with local_crew(1) as crew:
        ours = done_by(crew, plan, tmp_path / "ours.jsonl", perform)

    assert [(one.number, one.figures, one.curve) for one in theirs] == [
        (one.number, one.figures, one.curve) for one in ours
    ]
    assert len({one.process for one in theirs} - {os.getpid()}) == 2


def test_nobody_at_the_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_adapter, "CONNECT_S", 0.2)
    with (
        pytest.raises(BrokenBench, match=r"--cluster 127\.0\.0\.1:9: no Dask scheduler answers there"),
        dask_crew("127.0.0.1:9"),
    ):
        pass


def test_an_address_that_is_none_is_told() -> None:
    with (
        pytest.raises(UsageError, match=r"--cluster 'nonsense://x' is no address: expected HOST:PORT"),
        dask_crew("nonsense://x"),
    ):
        pass


def test_workers_with_another_version_are_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_adapter, "VERSION", "99.0")
    with pytest.raises(BrokenBench, match=r"and this is 99\.0: install the same everywhere"), dask_crew(address):
        pass
