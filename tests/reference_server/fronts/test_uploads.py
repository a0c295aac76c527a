"""Uploads over sockets: kept beside the loop, and nothing of one that is refused stays."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from fleetrig.reference_server.platforms.hawkbit.platform import HawkbitPlatform
from fleetrig.reference_server.platforms.hawkbit.request import kept_upload
from fleetrig.reference_server.platforms.hawkbit.state.settings import Quotas, Settings
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server_options import PlatformOptions, ServerOptions
from tests.reference_server.fronts.conftest import Loop, Noon
from tests.reference_server.fronts.peer import Answer, Peer
from tests.reference_server.fronts.test_hawkbit_on_the_wire import ADMIN, mgmt

IMAGE = os.urandom(300_000)
PATH = "/rest/v1/softwaremodules/1/artifacts"


@pytest.fixture
def port(loop: Loop, tmp_path: Path) -> Iterator[int]:
    settings = Settings(quotas=Quotas(artifact_bytes=400_000, all_artifacts_bytes=500_000))
    hawkbit = PlatformOptions("hawkbit", partial(HawkbitPlatform, settings=settings))
    options = ServerOptions((hawkbit,), store=f"sqlite:///{tmp_path}/store.db")
    server = ReferenceServer(options, clock=Noon())
    loop.run(server.__aenter__())
    port = server.addresses["hawkbit"]["http"].port
    assert mgmt(port, "POST", "/rest/v1/softwaremodules", [{"name": "m", "version": "1", "type": "os"}]).status == 201
    yield port
    loop.run(server.stop())
    assert server.bugs == []


def upload(port: int, content: bytes, name: str = "a", *, path: str = PATH, fields: bytes = b"") -> Answer:
    form = (
        fields
        + f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        + content
        + b"\r\n--b--\r\n"
    )
    with Peer(port) as peer:
        peer.send(
            f"POST {path} HTTP/1.1\r\nHost: h\r\nAuthorization: {ADMIN}\r\n"
            f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(form)}\r\n\r\n".encode()
            + form
        )
        return peer.answer()


def files(tmp_path: Path) -> list[int]:
    return sorted(
        path.stat().st_size for path in tmp_path.rglob("*") if path.is_file() and not path.name.startswith("store.db")
    )


def test_a_large_file_is_kept_in_another_thread(
    port: int, loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    def seen(*args: object) -> object:
        threads.append(threading.current_thread())
        return kept_upload.keep_upload(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("fleetrig.reference_server.platforms.hawkbit.platform.keep_upload", seen)
    answer = upload(port, IMAGE)
    assert answer.status == 201
    assert json.loads(answer.body)["hashes"]["sha256"] == hashlib.sha256(IMAGE).hexdigest()
    assert len(threads) == 1
    assert threads[0] is not loop.thread
    assert files(tmp_path) == [300_000]


@pytest.mark.parametrize(
    ("status", "given"),
    [
        (404, {"path": "/rest/v1/softwaremodules/99/artifacts"}),
        (400, {"name": ""}),
        (400, {"fields": b'--b\r\nContent-Disposition: form-data; name="md5sum"\r\n\r\nwrong\r\n'}),
        (400, {"fields": b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n\r\n' * 50}),
        (429, {"content": os.urandom(400_001)}),
    ],
)
def test_nothing_stays_of_what_is_refused(port: int, tmp_path: Path, status: int, given: dict[str, object]) -> None:
    answer = upload(port, **{"content": IMAGE, **given})  # type: ignore[arg-type]
    assert answer.status == status
    assert files(tmp_path) == []


def test_the_space_of_all_files_counts(port: int, tmp_path: Path) -> None:
    assert upload(port, IMAGE).status == 201
    answer = upload(port, IMAGE, "b")
    assert answer.status == 429
    assert b"Storage quota exceeded, 195 KB left." in answer.body
    assert upload(port, IMAGE[:200_000], "c").status == 201
    assert files(tmp_path) == [200_000, 300_000]


def test_nothing_stays_of_a_client_that_leaves(port: int, tmp_path: Path) -> None:
    with Peer(port) as peer:
        peer.send(
            f"POST {PATH} HTTP/1.1\r\nHost: h\r\nAuthorization: {ADMIN}\r\nExpect: 100-continue\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 900000\r\n\r\n".encode()
        )
        peer.until(b"100 Continue\r\n\r\n")
        peer.send(IMAGE)
    assert upload(port, IMAGE).status == 201
    assert files(tmp_path) == [300_000]


def test_the_temporary_folder_is_found_before_descriptors_run_out(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking for it opens files; without descriptors the reason was "No usable temporary directory found"."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    hawkbit = PlatformOptions("hawkbit", partial(HawkbitPlatform, settings=Settings()))
    server = ReferenceServer(ServerOptions((hawkbit,)), clock=Noon())
    loop.run(server.__aenter__())
    loop.run(server.stop())
    assert tempfile.tempdir is not None
