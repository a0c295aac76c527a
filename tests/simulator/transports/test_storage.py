"""The download area: what is appended to what, and what is forgotten."""

from __future__ import annotations

import hashlib

import pytest

from fleetrig.simulator.contract.bodies import hashes_of
from fleetrig.simulator.contract.http import Repeated, part_slice
from fleetrig.simulator.transports.storage import Storage

AT_300 = (("content-range", "bytes 300-1023/1024"),)


def test_a_file_in_two_parts_has_the_hashes_of_the_whole() -> None:
    storage = Storage()
    storage.open("dev", "fw", 200, ()).take(b"a" * 300)
    file = storage.open("dev", "fw", 206, AT_300)
    file.take(b"b" * 724)
    assert file.stored_bytes == 1024
    whole = b"a" * 300 + b"b" * 724
    assert file.hashes() == {name: hashlib.new(name, whole).hexdigest() for name in ("sha1", "md5", "sha256")}


def test_what_is_made_as_it_is_read_is_hashed_once_however_often_it_comes() -> None:
    storage, image = Storage(), Repeated(b"fleetrig", 0, 2**26)
    began_at = hashes_of.cache_info().misses
    for serial in ("one", "two"):
        storage.open(serial, "fw", 200, ()).take(part_slice(image, 0, 300))
        file = storage.open(serial, "fw", 206, AT_300)
        file.take(part_slice(image, 300, 2**26))
        assert (file.stored_bytes, file.hashes()) == (2**26, hashes_of(image))
    assert hashes_of.cache_info().misses == began_at + 1


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, ()),
        (200, AT_300),
        (206, ()),
        (206, (("Content-Range", "bytes 0-1023/1024"),)),
        (206, (("Content-Range", "bytes 301-1023/1024"),)),
        (206, (("Content-Range", "bytes */1024"),)),
        (206, (("Content-Range", "items 300-1023/1024"),)),
        (206, (("Content-Range", "bytes " + "3" * 5_000 + "-"),)),
    ],
    ids=range(8),
)
def test_v17_what_does_not_go_on_exactly_there_is_a_new_file(status: int, headers: tuple[tuple[str, str], ...]) -> None:
    storage = Storage()
    storage.open("dev", "fw", 200, ()).take(b"a" * 300)
    assert storage.open("dev", "fw", status, headers).stored_bytes == 0


def test_devices_and_names_do_not_mix() -> None:
    storage = Storage()
    storage.open("dev", "fw", 200, ()).take(b"a" * 300)
    assert storage.open("other", "fw", 206, AT_300).stored_bytes == 0
    assert storage.open("dev", "other", 206, AT_300).stored_bytes == 0
    assert storage.open("dev", "fw", 206, AT_300).stored_bytes == 300


def test_what_is_finished_is_not_kept() -> None:
    storage = Storage()
    storage.open("dev", "fw", 200, ()).take(b"a")
    storage.finished("dev", "fw")
    storage.finished("dev", "fw")
    assert storage._files == {}
