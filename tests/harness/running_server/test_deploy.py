"""Files that a test gives to devices."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.running_server.server import RunningServer
from fleetrig.harness.running_server.starting import started
from fleetrig.simulator.contract.errors import UsageError
from tests.harness.running_server.asking import LIMIT_S

pytestmark = pytest.mark.slow


def document(url: str, headers: Mapping[str, str]) -> Any:
    with urllib.request.urlopen(urllib.request.Request(url, headers=dict(headers)), timeout=LIMIT_S) as answer:
        return json.load(answer)


def test_a_device_finds_the_files_that_it_was_given(server: RunningServer, tmp_path: Path) -> None:
    image, notes = tmp_path / "image.bin", tmp_path / "notes.txt"
    image.write_bytes(b"\x01" * 1000)
    notes.write_text("better")
    gateway = server.register("gw-7")
    update = server.deploy(image, notes, to="gw-7", version="1.2", urgency="soft")
    assert (update.name, update.version) == ("image", "1.2")
    order = document(document(gateway.url, gateway.headers)["_links"]["deploymentBase"]["href"], gateway.headers)
    (chunk,) = order["deployment"]["chunks"]
    assert chunk["version"] == "1.2"
    assert {one["filename"]: one["size"] for one in chunk["artifacts"]} == {"image.bin": 1000, "notes.txt": 6}
    assert order["deployment"]["update"] == "attempt"


def test_what_cannot_be_given_is_told(server: RunningServer, tmp_path: Path) -> None:
    server.register("gw-7")
    (tmp_path / "image.bin").write_bytes(b"\x01")
    with pytest.raises(UsageError, match=r"imago.bin: there is no such file; did you mean .*image.bin\?"):
        server.deploy(tmp_path / "imago.bin", to="gw-7")
    with pytest.raises(UsageError, match="the server knows no device gw-8 in the tenant TEST-"):
        server.deploy(tmp_path / "image.bin", to=["gw-7", "gw-8"])
    with pytest.raises(UsageError, match="deploy: kind 'oss': expected os or application"):
        server.deploy(str(tmp_path / "image.bin"), to="gw-7", kind="oss")


def test_what_a_platform_does_not_have_is_told(tmp_path: Path) -> None:
    (tmp_path / "image.bin").write_bytes(b"\x01")
    with started("hono", tmp_path) as server:
        server.register("gw-7")
        with pytest.raises(UsageError, match="Hono keeps no files"):
            server.deploy(tmp_path / "image.bin", to="gw-7")
