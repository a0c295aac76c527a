"""A SERVER.yaml in every command that meets a server: its CA is trusted, and `--ca` wins over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme

from tests.harness.command import fleetrig
from tests.harness.runs import PASSES, write_scenario
from tests.harness.served import Served

pytestmark = pytest.mark.slow

COMMANDS = {
    "run": (["run", "hawkbit/x"], 0, "1 passed in"),
    "conform": (["conform", "hawkbit", "S41"], 0, "1 passed in"),
    "doctor": (["doctor", "hawkbit", "--id", "gw-17"], 1, "REFUSED  The server refuses this device"),
    "simulate": (["simulate", "hawkbit", "--count", "1", "--register", "--for", "2s"], 0, "1 of 1 device came through"),
}
"""The words, the exit code and a part of the output where the server is trusted."""


class Site(NamedTuple):
    folder: Path
    other_ca: Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that speaks TLS only with a CA of its own, and a SERVER.yaml that names the CA by its file name."""
    folder = tmp_path_factory.mktemp("site")
    other = folder / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    write_scenario(folder, PASSES)
    fast = ("--set", "hawkbit.controller.minPollingTime=00:00:01")
    with Served(folder, "--https", "127.0.0.1:0", *fast) as served:
        (folder / "own.pem").write_bytes(Path(served.ready["ca"]).read_bytes())
        file = f"platform: hawkbit\nhttps: {served.ready['https']}\nca: own.pem\ncan: [hawkbit.fast_polling]\n"
        (folder / "server.yaml").write_text(file)
        yield Site(folder, other)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_ca_of_the_file_is_trusted(name: str, site: Site) -> None:
    words, code, said = COMMANDS[name]
    done = fleetrig(*words, "--against", "server.yaml", cwd=site.folder)
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_the_ca_of_the_command_line_wins(name: str, site: Site) -> None:
    words, _, said = COMMANDS[name]
    done = fleetrig(*words, "--against", "server.yaml", "--ca", str(site.other_ca), cwd=site.folder)
    assert done.returncode == 3, done.stdout + done.stderr
    assert said not in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_a_mistake_in_the_file_has_its_line(name: str, site: Site) -> None:
    (site.folder / "bad.yaml").write_text("http: http://127.0.0.1:1\nmqtt: 127.0.0.1:2\n")
    done = fleetrig(*COMMANDS[name][0], "--against", "bad.yaml", cwd=site.folder)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("bad.yaml:2:1: mqtt: hawkBit has no such listener; it has http, https\n")
