"""Workers: processes that are told apart, end with the study, and make no difference to its results."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from pathlib import Path

import pytest

from fleetrig.harness.studies.case_store import CaseStore, digest_of
from fleetrig.harness.studies.crew import local_crew
from fleetrig.harness.studies.study_run import orders_left, run_orders
from fleetrig.simulator.contract.errors import BrokenBench
from tests.harness.studies.made import plan_of, worked

pytestmark = pytest.mark.slow
LIMIT_S = 60.0


def who(order: tuple[Path, int]) -> tuple[int, bool]:
    """Who performs it, once so many do at the same time; and whether Ctrl-C would reach them."""
    folder, together = order
    (folder / str(os.getpid())).touch()
    pause = threading.Event()
    for _ in range(int(LIMIT_S / 0.02)):
        if len(list(folder.iterdir())) >= together:
            break
        pause.wait(0.02)
    return os.getpid(), signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def forever(number: int) -> None:
    threading.Event().wait(LIMIT_S * number)


def gone(number: int) -> int:
    os._exit(number)


def test_two_processes_share_the_work_and_only_their_parent_hears_ctrl_c(tmp_path: Path) -> None:
    with local_crew(2) as crew:
        done = list(crew.each(who, [(tmp_path, 2)] * 2))

    assert len({process for process, _ in done} - {os.getpid()}) == 2
    assert all(is_deaf for _, is_deaf in done)


def broken_off() -> None:
    with local_crew(2) as crew:
        for _ in crew.each(forever, [0, 1, 1, 1]):
            raise KeyboardInterrupt


def test_no_process_is_left_when_a_study_is_broken_off() -> None:
    with pytest.raises(KeyboardInterrupt):
        broken_off()

    assert multiprocessing.active_children() == []


def test_a_worker_that_is_lost_is_told() -> None:
    with pytest.raises(BrokenBench, match="a worker process has ended by itself"), local_crew(1) as crew:
        list(crew.each(gone, [1]))


def test_workers_make_no_difference(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    orders = orders_left(plan, 1, ())
    store = CaseStore(tmp_path / "cases.jsonl", digest_of(plan, 1), plan.runs)
    with local_crew(2) as crew, store.open() as writer:
        run_orders(orders, crew, worked, writer, lambda: None)

    assert {one.number: one.figures for one in store.done} == {one.number: worked(one).figures for one in orders}
    assert len(store.done) == 12
