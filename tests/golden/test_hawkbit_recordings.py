"""The reference server gives the answers that were recorded from a real hawkBit server, row by row."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.platforms.hawkbit.platform import HawkbitPlatform
from fleetrig.reference_server.platforms.hawkbit.state.settings import Account, Settings
from fleetrig.reference_server.server import Server
from fleetrig.reference_server.stores.blobs import MemoryBlobs
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.reference_server.stores.sqlite import SqliteStore
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace
from tests.golden.placeholders import Differs
from tests.golden.replay import Replay, basic, read_rows

FOLDER = Path(__file__).parent / "hawkbit"
ROWS = {row: exchanges for path in sorted(FOLDER.glob("*.jsonl")) for row, exchanges in read_rows(path).items()}
ACCOUNTS = (
    Account("admin", "admin"),
    Account("creator", "creator", ("CREATE_TARGET", "READ_TARGET")),
    Account("reader", "reader", ("READ_TARGET",)),
)
NOT_YET: dict[str, str] = {}
"""Row -> why it is not answered alike yet. A row that has come to agree must be taken off this list."""


@contextlib.contextmanager
def fresh_replay(store_kind: str, folder: Path) -> Iterator[Replay]:
    """A fresh server of default settings, except for what earlier recordings left behind: a polling time of its own.

    On SQLite next to nothing is kept in memory, so that every record goes to the file and comes back.
    """
    random = Random(1)
    store = MemoryStore() if store_kind == "memory" else SqliteStore(folder / "fleet.db", cached_records=4)
    platform = HawkbitPlatform(store, MemoryBlobs(), SeededEntropy(1), Settings(accounts=ACCOUNTS))
    server = Server(platform, store, FaultPlan(random.random), Trace(), Secrets())
    replay = Replay(server, {account.user: account.password for account in ACCOUNTS})
    headers = {"Authorization": basic("admin", "admin"), "Content-Type": "application/json"}
    left = replay.send("PUT", "/rest/v1/system/configs/pollingTime", headers, b'{"value": "00:05:00"}')
    assert left.status == 204
    yield replay
    store.close()


@pytest.fixture(params=["memory", "sqlite"])
def replay(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Replay]:
    with fresh_replay(request.param, tmp_path) as one:
        yield one


@pytest.mark.parametrize("row", ROWS)
def test_a_recorded_row_is_answered_alike(replay: Replay, row: str) -> None:
    if row not in NOT_YET:
        replay.play(ROWS[row])
        return
    with pytest.raises(Differs):
        replay.play(ROWS[row])


def test_nothing_is_excused_that_was_not_recorded() -> None:
    assert NOT_YET.keys() <= ROWS.keys()
