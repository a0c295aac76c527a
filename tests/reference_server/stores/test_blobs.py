"""Artifact files on disk and in memory, alone and with a store's transactions."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from fleetrig.reference_server.stores.blobs import DirectoryBlobs, MemoryBlobs, TransactionalBlobs
from fleetrig.reference_server.stores.interface import Blob, Blobs, Store
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.reference_server.stores.opening import open_store
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.http import FileSlice
from tests.reference_server.stores.failing import fail_after

CONTENT = bytes(range(256)) * 300


@pytest.fixture(params=["memory", "directory", "transactional"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    made: dict[str, Blobs] = {
        "memory": MemoryBlobs(),
        "directory": DirectoryBlobs(tmp_path / "artifacts"),
        "transactional": TransactionalBlobs(MemoryStore(), DirectoryBlobs(tmp_path / "others")),
    }
    return made[request.param]


def keep(blobs: Blobs, content: bytes = CONTENT, at_most_bytes: int = 10**6):
    return blobs.keep((content[at : at + 1000] for at in range(0, len(content), 1000)), at_most_bytes=at_most_bytes)


def test_what_is_kept_is_hashed_and_comes_back(blobs: Blobs):
    blob = keep(blobs)
    assert blob.size_bytes == len(CONTENT)
    assert blob.sha1 == hashlib.sha1(CONTENT).hexdigest()
    assert blob.md5 == hashlib.md5(CONTENT).hexdigest()
    assert blob.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert body_bytes(blobs.body(blob.name, 0, len(CONTENT))) == CONTENT
    assert body_bytes(blobs.body(blob.name, 1000, 17)) == CONTENT[1000:1017]
    assert body_bytes(blobs.body(blob.name, 0, 0)) == b""
    assert blobs.total_bytes() == len(CONTENT)


def test_equal_contents_are_blobs_of_their_own(blobs: Blobs):
    first, second = keep(blobs), keep(blobs)
    assert blobs.total_bytes() == 2 * len(CONTENT)
    blobs.delete(first.name)
    assert body_bytes(blobs.body(second.name, 0, 3)) == CONTENT[:3]
    assert blobs.total_bytes() == len(CONTENT)
    blobs.delete(first.name)
    blobs.delete("../../never")
    with pytest.raises(BrokenBench):
        blobs.body(first.name, 0, 1)


def test_an_empty_blob(blobs: Blobs):
    blob = blobs.keep([], at_most_bytes=0)
    assert (blob.size_bytes, blob.md5) == (0, "d41d8cd98f00b204e9800998ecf8427e")
    assert body_bytes(blobs.body(blob.name, 0, 0)) == b""


def test_too_large_leaves_nothing_behind(blobs: Blobs, tmp_path: Path):
    assert keep(blobs, at_most_bytes=len(CONTENT)).size_bytes == len(CONTENT)
    kept = blobs.total_bytes()
    with pytest.raises(Exception, match=f"more than {len(CONTENT) - 1} bytes"):
        keep(blobs, at_most_bytes=len(CONTENT) - 1)
    assert blobs.total_bytes() == kept
    assert sum(path.is_file() for path in tmp_path.rglob("*")) <= 1


def test_an_upload_that_breaks_off_leaves_nothing_behind(tmp_path: Path):
    def broken() -> Iterable[bytes]:
        yield CONTENT
        raise ConnectionResetError

    blobs = DirectoryBlobs(tmp_path / "artifacts")
    with pytest.raises(ConnectionResetError):
        blobs.keep(broken(), at_most_bytes=10**6)
    assert list((tmp_path / "artifacts").iterdir()) == []
    assert blobs.total_bytes() == 0


def test_a_file_is_served_as_a_slice_and_private(tmp_path: Path):
    blobs = DirectoryBlobs(tmp_path / "artifacts")
    blob = keep(blobs)
    path = tmp_path / "artifacts" / blob.name
    assert blobs.body(blob.name, 5, 10) == FileSlice(str(path), 5, 10)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_opening_a_folder_deletes_nothing_and_counts_what_it_is_told_of(tmp_path: Path):
    folder = tmp_path / "artifacts"
    blob, other = (keep(DirectoryBlobs(folder)) for _ in range(2))
    half = folder / ("0" * 32 + ".part")
    half.write_bytes(b"half")
    blobs = DirectoryBlobs(folder, {blob.name, "f" * 32})
    assert {path.name for path in folder.iterdir()} == {blob.name, other.name, half.name}
    assert blobs.total_bytes() == len(CONTENT)


def test_a_folder_that_cannot_be(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(BrokenBench, match="cannot keep an artifact"):
        keep(DirectoryBlobs(tmp_path / "file" / "artifacts"))


def test_a_file_appears_only_when_whole_and_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    synced: list[str] = []
    fsync = os.fsync

    def watch(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        synced.append("folder" if path.is_dir() else path.suffix)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    keep(DirectoryBlobs(tmp_path / "artifacts"))
    assert synced == ["folder", ".part", "folder"]


@pytest.fixture(params=["memory:", "sqlite"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Store, Blobs]]:
    store, blobs = open_store("memory:" if request.param == "memory:" else f"sqlite:///{tmp_path}/fleet.db")
    yield store, blobs
    store.close()


def test_a_failed_transaction_takes_its_blobs_with_it(opened: tuple[Store, Blobs]):
    store, blobs = opened
    before = keep(blobs)
    lost: list[Blob] = []

    def keep_and_delete() -> None:
        lost.append(keep(blobs))
        blobs.delete(before.name)
        assert body_bytes(blobs.body(lost[0].name, 0, 2)) == CONTENT[:2]

    fail_after(store, keep_and_delete)
    assert body_bytes(blobs.body(before.name, 0, 2)) == CONTENT[:2]
    with pytest.raises(BrokenBench):
        blobs.body(lost[0].name, 0, 2)
    assert blobs.total_bytes() == len(CONTENT)


def test_a_committed_transaction_keeps_and_deletes(opened: tuple[Store, Blobs]):
    store, blobs = opened
    before = keep(blobs)
    with store.transaction():
        after = keep(blobs)
        blobs.delete(before.name)
    assert body_bytes(blobs.body(after.name, 0, 2)) == CONTENT[:2]
    with pytest.raises(BrokenBench, match="gone"):
        blobs.body(before.name, 0, 2)
