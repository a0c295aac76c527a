"""An image of gigabytes in virtual time: made as it is read, hashed once, in no trace."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from fleetrig.harness.platforms.hawkbit.updates import made_image
from fleetrig.harness.verdict import Verdict
from fleetrig.simulator.contract.errors import BrokenBench
from tests.harness.bench_fixture import BenchFixture
from tests.harness.runs import run_once

MIB = 1024 * 1024

HEAD = """
    scenario: A large image
    devices: {count: 5, flow: hawkbit, serial: "HB-{n}", credential: gateway_token}
    server: {settings: {pollingTime: "00:00:30"}}
"""

DEPLOY = """
    phases:
      - name: online
        do: [power_on]
        within: 10s
        expect: [{reaches: {stage: online}}]
      - name: installed
        do: {deploy: {version: "2.0", size: SIZE}}
        within: 5m
        expect: [{registry: {in_state: in_sync, installed: "2.0"}}]
"""


@pytest.fixture
def bench(tmp_path: Path) -> BenchFixture:
    return BenchFixture(tmp_path)


def deployed(folder: Path, size: str):
    return run_once(folder, DEPLOY.replace("SIZE", size), head=HEAD, trace=folder / "trace.jsonl")


@pytest.mark.slow
def test_memory_and_trace_do_not_grow_with_the_image(tmp_path: Path) -> None:
    deployed(tmp_path, "1MiB")
    of_small = (tmp_path / "trace.jsonl").stat().st_size
    tracemalloc.start()
    report = deployed(tmp_path, "96MiB")
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert report.verdict is Verdict.PASSED, report.reason
    assert peak_bytes < 8 * MIB
    assert (tmp_path / "trace.jsonl").stat().st_size < of_small + 10_000


def test_an_image_over_the_servers_quota_is_refused_before_it_is_read(bench: BenchFixture) -> None:
    with pytest.raises(BrokenBench, match=r"429.*fileSizeExceeded"):
        bench.run(bench.admin.create_update("os", "1.0", made_image("1.0", 2**40), "os.img"))
