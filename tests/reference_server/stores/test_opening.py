"""Stores by URL: the forms that are, and what is said about those that are not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fleetrig.reference_server.stores.blobs import BLOB
from fleetrig.reference_server.stores.opening import artifact_folder, open_store
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.http import FileSlice
from tests.reference_server.stores.records import DEVICE, Device


@pytest.mark.parametrize("is_absolute", [True, False])
def test_a_file_and_its_artifacts_outlive_closing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_absolute: bool):
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path / 'fleet.db'}" if is_absolute else "sqlite:///fleet.db"
    assert url.startswith("sqlite:////") is is_absolute
    store, blobs = open_store(url)
    store.put(DEVICE, "T", Device("d"))
    blob = blobs.keep([b"firmware"], at_most_bytes=8)
    store.close()
    assert {path.name for path in tmp_path.iterdir()} == {"fleet.db", "fleet.db.artifacts"}
    store, blobs = open_store(url)
    assert store.get(DEVICE, "T", "d") == Device("d")
    assert blobs.total_bytes() == 8
    body = blobs.body(blob.name, 0, 8)
    assert isinstance(body, FileSlice)
    assert (tmp_path / body.path).read_bytes() == b"firmware"
    store.close()


def test_a_database_moved_aside_and_put_back_has_all_its_artifacts(tmp_path: Path):
    """Opening another one in between, be it new or an older copy, deletes no file."""
    database, aside, older = tmp_path / "fleet.db", tmp_path / "aside.db", tmp_path / "older.db"
    url = f"sqlite:///{database}"
    first = keep_one(url, b"first")
    shutil.copy(database, older)
    second = keep_one(url, b"second")
    database.rename(aside)
    keep_one(url, b"of a new one")
    shutil.copy(older, database)
    assert contents(url, first) == [b"first"]
    shutil.copy(aside, database)
    assert contents(url, first, second) == [b"first", b"second"]


def keep_one(url: str, content: bytes) -> str:
    store, blobs = open_store(url)
    name = blobs.keep([content], at_most_bytes=100).name
    store.close()
    return name


def contents(url: str, *names: str) -> list[bytes]:
    store, blobs = open_store(url)
    sizes = {blob.name: blob.size_bytes for blob in store.scan(BLOB, "")}
    found = [body_bytes(blobs.body(name, 0, sizes[name])) for name in names]
    store.close()
    return found


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("memory:", None),
        ("sqlite:///fleet.db", Path("fleet.db.artifacts")),
        ("sqlite:////var/lib/fleet.db?durability=power-cut", Path("/var/lib/fleet.db.artifacts")),
    ],
)
def test_where_artifacts_lie(url: str, folder: Path | None):
    assert artifact_folder(url) == folder


def test_memory_leaves_nothing_behind():
    store, blobs = open_store("memory:")
    body = blobs.body(blobs.keep([b"x" * 100], at_most_bytes=100).name, 0, 100)
    assert isinstance(body, FileSlice), "uploads of a gigabyte do not belong into memory"
    assert Path(body.path).is_file()
    store.close()
    assert not Path(body.path).parent.exists()
    store.close()


def test_power_cut_is_an_option_of_the_url(tmp_path: Path):
    store, _ = open_store(f"sqlite:///{tmp_path}/fleet.db?durability=power-cut")
    store.close()
    assert (tmp_path / "fleet.db").is_file()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("memory", "did you mean memory: ?"),
        ("memory://", "did you mean memory: ?"),
        ("memroy:", "did you mean memory: ?"),
        ("sqlite:///:memory:", "did you mean memory: ?"),
        ("fleet.db", "did you mean sqlite:///fleet.db ?"),
        ("/var/lib/fleet.db", "did you mean sqlite:////var/lib/fleet.db ?"),
        ("sqlite:fleet.db", "did you mean sqlite:///fleet.db ?"),
        ("sqlite://fleet.db", "did you mean sqlite:///fleet.db ?"),
        ("sqlite:/var/fleet.db", "did you mean sqlite:////var/fleet.db ?"),
        ("sqllite:///fleet.db", "did you mean sqlite:///fleet.db ?"),
        ("SQLITE:////var/fleet.db", "did you mean sqlite:////var/fleet.db ?"),
        ("sqlite:///", "did you mean sqlite:///fleet.db ?"),
        ("sqlite:////var/lib/", "did you mean sqlite:////var/lib/fleet.db ?"),
        ("sqlite", "did you mean sqlite:///fleet.db ?"),
        ("", "did you mean memory: ?"),
        ("mysql://host/db", "there is no scheme 'mysql'"),
        ("sqlite:///fleet.db?durability=power", "durability=kill or durability=power-cut"),
        ("sqlite:///fleet.db?sync=1", "no option 'sync=1'"),
        ("postgresql://localhost/fleet", "postgresql is not there yet"),
    ],
)
def test_a_url_that_cannot_be_is_told_the_nearest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, said: str):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as told:
        open_store(url)
    assert said in str(told.value)
    assert list(tmp_path.iterdir()) == []


def test_a_password_in_a_url_is_not_repeated():
    for url in ("postgresql://me:s3cret@host/db", "mysql://me:s3cret@host/db"):
        with pytest.raises(UsageError) as told:
            open_store(url)
        assert "s3cret" not in str(told.value)
