"""`fleetrig serve` as a process that the harness starts: ready, stopped, killed, or never ready."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from fleetrig.harness.servers.serve_process import ServeProcess, read_ready
from fleetrig.simulator.contract.errors import BrokenBench
from tests.reference_server.echo import until

pytestmark = pytest.mark.slow

OPTIONS = ("--platform", "hawkbit", "--http", "127.0.0.1:0")


def test_it_is_ready_inside_and_ended_outside(tmp_path: Path) -> None:
    with ServeProcess(tmp_path, *OPTIONS) as served:
        assert served.ready.keys() == {"pid", "http", "control"}
        assert served.ready["pid"] == served.pid
        until(lambda: f"http://{served.ready['http']}" in served.said())
    assert served.stop() == 0
    assert not served.ready_file.exists()


def test_a_killed_one_leaves_a_ready_file_that_the_next_does_not_believe(tmp_path: Path) -> None:
    with ServeProcess(tmp_path, *OPTIONS) as killed:
        killed.kill()
        assert killed.stop() == -signal.SIGKILL
        assert killed.ready_file.exists()
        with ServeProcess(tmp_path, *OPTIONS) as served:
            assert served.ready["pid"] == served.pid != killed.pid


def test_what_ends_before_it_is_ready_is_said(tmp_path: Path) -> None:
    with pytest.raises(BrokenBench) as broken, ServeProcess(tmp_path, "--http", "nowhere"):
        pass
    assert str(broken.value) == (
        "our own reference server ended before it was ready: --http: 'nowhere' is no address: expected HOST:PORT with "
        "a port up to 65535, as in 127.0.0.1:8080"
    )


def test_only_the_file_of_that_process_counts(tmp_path: Path) -> None:
    file = tmp_path / "ready.json"
    assert read_ready(file, 7) is None
    file.write_text(json.dumps({"pid": 7, "http": "127.0.0.1:1"}))
    assert read_ready(file, 8) is None
    assert read_ready(file, 7) == {"pid": 7, "http": "127.0.0.1:1"}
