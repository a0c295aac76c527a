"""The devices that docs/devices.md begins with: as they stand there, they are judged as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fleetrig.harness.report.exits import Exit
from tests.harness.command import PROJECT, Done, fleetrig

pytestmark = pytest.mark.slow

PAGE = (PROJECT / "docs" / "devices.md").read_text(encoding="utf-8")
SCRIPTS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
UPDATER, ADDED, PROVISIONED, CERTIFIED = SCRIPTS
BEFORE = '  job=$(ask "$1") && tell "$1" proceeding none || return\n'
SHOWN = re.findall(r"```\n(FAIL .*?)```", PAGE, re.DOTALL)
CHANGING = re.compile(r"\d+\.\d s|#\d+|:\d+")
"""Times, and the numbers of events."""


def judged(script: str, folder: Path, *words: str) -> Done:
    device = folder / "my-device.sh"
    device.write_text(script, encoding="utf-8")
    device.chmod(0o755)
    library = str(PROJECT / "scenarios")
    return fleetrig("run", *words, "--device-command", "./my-device.sh", "--scenarios", library, cwd=folder)


@pytest.mark.parametrize(
    ("script", "rows"),
    [
        (UPDATER, ["hawkbit/update", "hawkbit/cancelled_before", "hawkbit/odd_ids", "hawkbit/secrets"]),
        (PROVISIONED, ["thingsboard/first_contact_http"]),
        (CERTIFIED, ["hono/first_contact[over=http]"]),
    ],
    ids=["updater", "provisioned", "certified"],
)
def test_a_device_of_the_page_passes(script: str, rows: list[str], tmp_path: Path) -> None:
    done = judged(script, tmp_path, *(f"external/{row}" for row in rows))
    assert done.returncode == Exit.PASSED, done.stdout + done.stderr
    assert "skip" not in done.stdout


def test_what_fails_is_told_as_the_page_shows_it(tmp_path: Path) -> None:
    done = judged(UPDATER, tmp_path, "external/hawkbit/download_later")
    assert done.returncode == Exit.FAILED, done.stdout + done.stderr
    (shown,) = SHOWN
    said = {CHANGING.sub("…", line) for line in done.stdout.splitlines()}
    assert [line for line in shown.splitlines() if CHANGING.sub("…", line) not in said] == []


def test_the_line_that_the_page_adds_mends_it(tmp_path: Path) -> None:
    assert UPDATER.count(BEFORE) == 1
    done = judged(UPDATER.replace(BEFORE, BEFORE + ADDED), tmp_path, "external/hawkbit/download_later")
    assert done.returncode == Exit.PASSED, done.stdout + done.stderr
