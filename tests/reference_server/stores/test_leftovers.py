"""Artifact files that no record names: found, left alone, and removed on request without following a link."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetrig.reference_server.stores.interface import Store
from fleetrig.reference_server.stores.leftovers import Leftovers, find_leftovers, remove_leftovers
from fleetrig.reference_server.stores.opening import open_store
from fleetrig.simulator.contract.errors import UsageError

OTHER, HALF = "ab" * 16, "cd" * 16 + ".part"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store, blobs = open_store(f"sqlite:///{tmp_path / 'fleet.db'}")
    blobs.keep([b"firmware"], at_most_bytes=8)
    yield store
    store.close()


@pytest.fixture
def folder(store: Store, tmp_path: Path) -> Path:
    """With an artifact of the store, two leftovers, and files that are none of ours."""
    folder = tmp_path / "fleet.db.artifacts"
    (folder / OTHER).write_bytes(b"renamed, never committed")
    (folder / HALF).write_bytes(b"half")
    for name in ("README", "disk.part", "AB" * 16):
        (folder / name).write_bytes(b"somebody's own")
    (folder / ("ef" * 16)).mkdir()
    return folder


def names_of(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_leftovers_are_found_and_stay_until_they_are_to_go(store: Store, folder: Path):
    before = names_of(folder)
    found = find_leftovers(store, folder)
    assert found == Leftovers(folder, (OTHER, HALF), 28)
    assert names_of(folder) == before
    remove_leftovers(found)
    assert names_of(folder) == before - {OTHER, HALF}
    assert find_leftovers(store, folder) == Leftovers(folder, (), 0)
    remove_leftovers(found)


def test_a_store_without_artifacts_has_no_leftovers(store: Store, tmp_path: Path):
    found = find_leftovers(store, tmp_path / "nowhere")
    assert found.names == ()
    remove_leftovers(found)


def test_a_link_in_the_folder_is_no_leftover(store: Store, folder: Path, tmp_path: Path):
    foreign = tmp_path / ("12" * 16)
    foreign.write_bytes(b"foreign")
    (folder / foreign.name).symlink_to(foreign)
    (folder / ("34" * 16)).symlink_to(tmp_path / "nowhere")
    found = find_leftovers(store, folder)
    assert found.names == (OTHER, HALF)
    remove_leftovers(found)
    assert foreign.read_bytes() == b"foreign"
    assert (folder / foreign.name).is_symlink()


def test_a_folder_that_is_a_link_is_counted_and_not_cleared(store: Store, folder: Path, tmp_path: Path):
    real = folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(real)
    before = names_of(real)
    found = find_leftovers(store, folder)
    assert found.names == (OTHER, HALF)
    with pytest.raises(UsageError, match="is a link"):
        remove_leftovers(found)
    assert names_of(real) == before


def test_what_cannot_be_removed_is_said(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot remove leftovers"):
        remove_leftovers(Leftovers(tmp_path / "file", (OTHER,), 1))
