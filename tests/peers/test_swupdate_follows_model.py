"""Debian's `swupdate`, which nobody here wrote, compared with our model of a hawkBit device by what the server saw."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from tests.peers.programs import need_program
from tests.peers.serving import FLEETRIG
from tests.peers.swupdate_image import Signer, Update, signed_image

pytestmark = [pytest.mark.peer, pytest.mark.slow]

BOARD = Path(__file__).with_name("swupdate_board.sh")
SCENARIO = """
scenario: A real client follows the model of its platform
devices: {flow: hawkbit, external: true, serial: "EXT-{n:04d}", install_time: 1s}
server: {settings: {pollingTime: "00:00:01"}}
phases:
  - name: polls
    do: [preregister, power_on]
    within: 60s
    expect:
      - sends: {name: poll, times: {at_least: 3}}
      - follows_model: {tolerance: TOLERANCE}
  - name: is updated
    do: {deploy: {version: "1.0", size: 256KiB}}
    within: 60s
    expect:
      - sends: {name: feedback-closed}
      - follows_model: {tolerance: TOLERANCE}
"""


def run_with(tolerance: str, vendor: Signer, folder: Path) -> subprocess.CompletedProcess[str]:
    for program in ("swupdate", "openssl", "cpio"):
        need_program(program, program)
    parts, image = folder / "image", folder / "image.swu"
    parts.mkdir()
    image.write_bytes(signed_image(parts, Update(bytes(range(256)) * 1200, folder / "installed.bin"), vendor))
    file = folder / "scenarios" / "external" / "hawkbit" / "model.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(SCENARIO.replace("TOLERANCE", tolerance), encoding="utf-8")
    device = shlex.join(["sh", str(BOARD), str(vendor.certificate)])
    command = [str(FLEETRIG), "run", "external/hawkbit/model", "--scenarios", str(folder / "scenarios")]
    command += ["--device-command", device, "--device-image", str(image), "--results", str(folder / "results")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)


def test_swupdate_follows_it_until_it_restarts_with_its_report_still_to_make(vendor: Signer, tmp_path: Path) -> None:
    """It looks twice, asks for the head of the file, reports progress as it likes; then it ends without a word.

    The board starts it anew, and it polls before it closes the action: nothing that the server saw permits that.
    """
    ended = run_with("tolerant", vendor, tmp_path)
    assert ended.returncode == 1, ended.stdout
    assert "ok polls" in ended.stdout
    assert "feedback-closed POST" in ended.stdout.partition("expected")[2]
    assert "got       poll GET" in ended.stdout
