"""Files that go, change or fill up under an open store: one line, nothing promised, memory as the disk has it."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fleetrig.reference_server.stores.blobs import DirectoryBlobs
from fleetrig.reference_server.stores.interface import BlobGone, StoreFailed
from fleetrig.reference_server.stores.opening import open_store
from fleetrig.reference_server.stores.sqlite import SqliteStore
from fleetrig.simulator.contract.errors import UsageError, broken_environment, system_said
from tests.reference_server.stores.records import DEVICE, Device


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fleet.db"


@pytest.fixture
def store(path: Path) -> SqliteStore:
    opened = SqliteStore(path)
    opened.put(DEVICE, "T", Device("first", "north"))
    return opened


def replace(path: Path) -> None:
    shutil.copy(path, path.with_name("copy"))
    path.with_name("copy").rename(path)


def copy_over(path: Path) -> None:
    path.write_bytes(path.read_bytes())
    os.utime(path, ns=(1, 1))


HAPPENINGS: dict[str, tuple[Callable[[Path], object], str]] = {
    "deleted": (Path.unlink, "was deleted or moved away"),
    "replaced": (replace, "was replaced by another"),
    "written over": (copy_over, "was changed by another program"),
    "cut": (lambda path: os.truncate(path, 4096), "was changed by another program"),
    "log deleted": (lambda path: Path(f"{path}-wal").unlink(), "was deleted or moved away"),
    "log cut": (lambda path: os.truncate(f"{path}-wal", 32), "was changed by another program"),
    "folder moved": (lambda path: path.parent.rename(path.parent.with_name("away")), "was deleted or moved away"),
}


@pytest.mark.parametrize("happening", HAPPENINGS)
def test_what_happens_to_an_open_file_is_noticed_before_anything_is_promised(
    store: SqliteStore, path: Path, happening: str
) -> None:
    happen, said = HAPPENINGS[happening]
    happen(path)
    for write in (
        lambda: store.put(DEVICE, "T", Device("second", "north")),
        lambda: store.delete(DEVICE, "T", "first"),
        lambda: store.next_id("job"),
        store.flush,
    ):
        with pytest.raises(StoreFailed, match=said):
            write()
    assert list(store.scan(DEVICE, "T")) == [Device("first", "north")]
    assert store.count(DEVICE, "T") == 1
    with pytest.raises(StoreFailed, match=said):
        store.close()
    store.close()


def test_a_file_that_comes_back_is_used_on(store: SqliteStore, path: Path) -> None:
    path.rename(path.with_name("aside"))
    with pytest.raises(StoreFailed):
        store.put(DEVICE, "T", Device("lost", "north"))
    path.with_name("aside").rename(path)
    store.put(DEVICE, "T", Device("kept", "north"))
    store.close()
    again = SqliteStore(path)
    assert [device.controller_id for device in again.scan(DEVICE, "T")] == ["first", "kept"]
    again.close()


@contextmanager
def files_of_at_most(size_bytes: int) -> Iterator[None]:
    """As a full disk, for this process."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def put_all(store: SqliteStore, devices: Iterable[Device], kept: list[str]) -> None:
    for device in devices:
        store.put(DEVICE, "T", device)
        kept.append(device.controller_id)


def ids_in(store: SqliteStore) -> list[str]:
    return [device.controller_id for device in store.scan(DEVICE, "T")]


def test_after_a_failed_commit_memory_says_what_the_disk_says(store: SqliteStore, path: Path) -> None:
    store.put(DEVICE, "T", Device("first", "north", 7), lazily=True)
    kept = ["first"]
    many = [Device(f"d-{number:04d}", "x" * 4_000) for number in range(1_000)]
    with files_of_at_most(200_000):
        with pytest.raises(StoreFailed, match=r"fleet.db.*ulimit -f"):
            put_all(store, many, kept)
        assert ids_in(store) == sorted(kept)
        with pytest.raises(StoreFailed, match=r"fleet.db"):
            store.put(DEVICE, "T", Device("d-9999", "y" * 50_000))
        assert store.get(DEVICE, "T", "d-9999") is None
        assert store.count(DEVICE, "T") == len(kept)
    store.put(DEVICE, "T", Device("room again", "z"))
    store.close()
    again = SqliteStore(path)
    assert ids_in(again) == sorted([*kept, "room again"])
    assert again.get(DEVICE, "T", "first") == Device("first", "north", 7)
    again.close()


def test_an_artifact_that_does_not_fit_leaves_nothing_behind(tmp_path: Path) -> None:
    blobs = DirectoryBlobs(tmp_path / "artifacts")
    with files_of_at_most(100_000), pytest.raises(StoreFailed, match=r"cannot keep an artifact in .*ulimit -f"):
        blobs.keep([b"x" * 60_000] * 3, at_most_bytes=10**9)
    assert list((tmp_path / "artifacts").iterdir()) == []
    assert blobs.total_bytes() == 0


def test_an_artifact_s_file_that_is_gone_or_cut(tmp_path: Path) -> None:
    blobs = DirectoryBlobs(tmp_path / "artifacts")
    name = blobs.keep([b"x" * 100], at_most_bytes=100).name
    os.truncate(tmp_path / "artifacts" / name, 99)
    with pytest.raises(BlobGone, match=f"{name} is not what was uploaded: put it back"):
        blobs.body(name, 0, 100)
    (tmp_path / "artifacts" / name).unlink()
    with pytest.raises(BlobGone, match=f"{name} is gone: put it back"):
        blobs.body(name, 0, 100)
    blobs.delete(name)


LONG = "x" * 5_000


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (LONG, "File name too long: give a shorter name"),
        ("x" * 250, "File name too long: give a shorter name"),
        ("a/" * 3_000 + "f.db", "File name too long: give a shorter name"),
        ("none/fleet.db", "there is no folder .*none; make it first"),
        ("file/fleet.db", "file is a file"),
        ("folder", "it is a folder, expected a file"),
        ("pipe", "it is a device or a pipe, expected a file"),
        ("taken.db", "cannot keep artifacts in .*taken.db.artifacts: it is no folder; move it away"),
    ],
    ids=["5,000", "250", "deep", "no folder", "file", "folder", "pipe", "artifacts"],
)
def test_a_store_s_name_that_cannot_be(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "taken.db.artifacts").touch()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match=said) as refused:
        open_store(f"sqlite:///{tmp_path / name}")
    assert len(str(refused.value)) < 1_000


@pytest.mark.parametrize("name", ["ö ß%2e;&", "a'b\"c", "-rf", "new\nline", "\udcff"])
def test_a_store_s_name_that_is_odd(tmp_path: Path, name: str) -> None:
    url = f"sqlite:///{tmp_path / name}.db"
    store, blobs = open_store(url)
    store.put(DEVICE, "T", Device("d", "north"))
    kept = blobs.keep([b"x"], at_most_bytes=1).name
    store.close()
    store, blobs = open_store(url)
    assert store.get(DEVICE, "T", "d") == Device("d", "north")
    assert len(blobs.body(kept, 0, 1)) == 1
    store.close()


def test_what_the_system_says_comes_with_what_to_do() -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "/x")
    assert system_said(full) == "No space left on device: make room on that disk"
    assert str(broken_environment(full)) == "/x: No space left on device: make room on that disk"
    assert system_said(OSError("odd")) == "odd"
