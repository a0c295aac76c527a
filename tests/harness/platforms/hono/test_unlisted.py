"""A registry that lists nothing (1.1): what is known is deleted before its tenant, what has other ids is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetrig.harness.report.exits import Exit
from tests.harness.command import PROJECT, Done, fleetrig
from tests.harness.platforms.hono.test_simulate import ONCE, written
from tests.peers.hono.serving import ServedHono, ask

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedHono]:
    with ServedHono(tmp_path_factory.mktemp("old"), "--profile", "1") as one:
        yield one


@pytest.fixture
def server_file(served: ServedHono, tmp_path: Path) -> str:
    return written(served, tmp_path)


def records(served: ServedHono) -> dict[str, int]:
    """How many tenants and devices are kept, also those that nobody can reach any more."""
    found = ask("GET", f"http://{served.ready['control']}/")["records"]
    return {kind: found.get(f"hono.{kind}", 0) for kind in ("tenant", "device")}


def simulate(against: str, *options: str) -> Done:
    return fleetrig(
        "simulate", "hono", "--against", against, "--register", "--count", "2", *ONCE, *options, cwd=PROJECT
    )


def test_a_simulation_takes_back_what_it_has_registered(served: ServedHono, server_file: str) -> None:
    before = records(served)
    done = simulate(server_file, "--credentials", "password", "--transport", "http")
    assert done.returncode == Exit.PASSED, done.stdout + done.stderr
    assert records(served) == before
    assert "left behind" not in done.stdout


def test_a_simulation_tells_of_what_was_provisioned(served: ServedHono, server_file: str) -> None:
    before = records(served)
    done = simulate(server_file, "--credentials", "certificate", "--transport", "https")
    said = " ".join((done.stdout + done.stderr).split())
    assert "left behind" in said, said
    assert "under ids that this registry does not list" in said
    assert "the adapters' logs have the ids" in said
    after = records(served)
    assert (after["tenant"], after["device"]) == (before["tenant"], before["device"] + 2)


def test_a_run_takes_back_what_it_has_registered(served: ServedHono, server_file: str) -> None:
    before = records(served)
    done = fleetrig("run", "hono/manual[over=http,credential=password]", "--against", server_file, cwd=PROJECT)
    assert done.returncode == Exit.PASSED, done.stdout
    assert records(served) == before


def test_a_run_tells_of_what_was_provisioned(served: ServedHono, server_file: str) -> None:
    before = records(served)
    done = fleetrig("run", "hono/first_contact_unsearched[over=http]", "--against", server_file, cwd=PROJECT)
    assert done.returncode == Exit.BROKEN, done.stdout
    assert "what it has provisioned under ids of its own may stay" in " ".join(done.stdout.split())
    assert records(served)["tenant"] == before["tenant"]
