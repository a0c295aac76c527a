"""Nothing acknowledged is lost by `kill -9`: a child writes, says so and is killed, again and again on one file."""

from __future__ import annotations

import subprocess
import sys
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from fleetrig.reference_server.stores.blobs import PART, names_in
from fleetrig.reference_server.stores.interface import Blobs, Store
from fleetrig.reference_server.stores.leftovers import find_leftovers, remove_leftovers
from fleetrig.reference_server.stores.opening import open_store
from fleetrig.simulator.contract.bodies import body_bytes
from tests.reference_server.stores.crash_writer import ARTIFACT_BYTES
from tests.reference_server.stores.records import DEVICE, JOB, Job

KILLS = 25
REMOVAL_SHARE = 0.2
MOST_ACKNOWLEDGED = 60
Acknowledged = dict[int, tuple[int, str]]
"""Number -> (id given, artifact name or -)."""


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_by_kill_9(tmp_path: Path):
    random = Random(5)
    url = f"sqlite:///{tmp_path / 'fleet.db'}"
    folder = tmp_path / "fleet.db.artifacts"
    folder.mkdir()
    acknowledged: Acknowledged = {}
    for _ in range(KILLS):
        first = max(acknowledged, default=0) + 2  # the one after the last may or may not have been committed
        acknowledged |= _write_until_killed(url, first, random.randrange(1, MOST_ACKNOWLEDGED))
        store, blobs = open_store(url)
        try:
            _check(store, blobs, acknowledged, folder)
            if random.random() < REMOVAL_SHARE:
                remove_leftovers(find_leftovers(store, folder))
                assert {path.name for path in folder.iterdir()} == names_in(store)
        finally:
            store.close()


def _write_until_killed(url: str, first: int, kill_after: int) -> Acknowledged:
    """Whatever the child still said between our decision and its end counts as well, but for half a line."""
    command = [sys.executable, "-m", "tests.reference_server.stores.crash_writer", url, str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        lines = list(islice(child.stdout, kill_after))
        child.kill()
        lines += [line for line in child.stdout if line.endswith("\n")]
    assert len(lines) >= kill_after, "the child ended by itself"
    fields = [line.split() for line in lines]
    return {int(number): (int(given), name) for number, given, name in fields}


def _check(store: Store, blobs: Blobs, acknowledged: Acknowledged, folder: Path) -> None:
    jobs = {job.number: job for job in store.scan(JOB, "T")}
    assert acknowledged.keys() <= jobs.keys()
    assert jobs.keys() - acknowledged.keys() <= {number + 1 for number in acknowledged}
    for device in store.scan(DEVICE, "T"):
        newest = max(number for number in jobs if f"d{number % 5}" == device.controller_id)
        assert abs(device.polled_at_us) == newest, "half a transaction"
        assert store.find(JOB, "T", "open", device.controller_id)[-1] == Job(newest, device.controller_id)
    given = [given for given, _ in acknowledged.values()]
    assert len(set(given)) == len(given)
    assert store.next_id("job") > max(given)
    names = [name for _, name in acknowledged.values() if name != "-"]
    for name in names[-3:]:
        assert len(body_bytes(blobs.body(name, 0, ARTIFACT_BYTES))) == ARTIFACT_BYTES
    assert {path.name for path in folder.iterdir()} >= set(names)
    whole = [path for path in folder.iterdir() if path.suffix != PART]
    assert all(path.stat().st_size == ARTIFACT_BYTES for path in whole), "a file half written"
