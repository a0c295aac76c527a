"""Debian's `swupdate` against the device rows of hawkBit (hawkBit's §6.5), through `fleetrig run external`.

Nobody here wrote the device. What it does otherwise stands in scenarios/_known_deviations.yaml with the reason: here
it must pass everything else, and deviate where it is said to.
"""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fleetrig.harness.run.known_deviations import known_in, peer_of
from fleetrig.harness.scenario_file.selection import plan
from tests.peers.programs import need_program
from tests.peers.serving import FLEETRIG
from tests.peers.swupdate_image import Signer, Update, signed_image

pytestmark = [pytest.mark.peer, pytest.mark.slow]

PROJECT = Path(__file__).parents[2]
BOARD = Path(__file__).with_name("swupdate_board.sh")
PAYLOAD = bytes(range(256)) * 1200
SIDE_BY_SIDE = "8"
"""Eleven swupdates at most share a machine: each binds one of so many abstract sockets."""
LIMIT_S = 600.0

FLEET = ["stampede"]
"""Ten of them at once."""

ROWS = [
    # The longest first, so that none is left for the end.
    "no_answer[shows_as=silence]", "zero_interval", "interval", "backoff[status=500]", "no_document", "range_ignored",
    "download_only", "retry_after[status=429]", "attributes_where_linked",
    "action_replaced", "attributes_unasked", "broken_answers", "cancelled_before", "cancelled_during", "cut_download",
    "download_later", "duplicate_id", "etag", "feedback_gone", "feedback_later[status=500]",
    "framing[framed=chunked]", "framing[framed=close]", "framing[framed=http10]", "maintenance_window",
    "no_answer[shows_as=closed]", "port_closed", "no_answer[shows_as=reset]", "odd_documents",
    "odd_intervals", "re_registration", "redirect[status=307]", "refused[status=401]", "restart", "same_action_again",
    "secrets[credential=gateway_token]", "token_rotated[what=target_token]", "unknown_fields", "update",
    "wrong_date[date=Fri, 01 Jan 1999 00:00:00 GMT]", "wrong_hash",
    "action_ids[first=9]", "action_ids[first=99]", "confirmation", "confirmation_denied", "file_gone[status=404]",
    "file_gone[status=500]", "modules_and_files", "odd_ids[serial=de:ad:be:ef:00:{n:02x}]",
    "odd_ids[serial=schön@werk:{n}]",
]  # fmt: skip


def test_every_scenario_is_among_them() -> None:
    """With one value of each matrix at least."""
    there = {row.scenario.id for row in plan(["external/hawkbit"], PROJECT / "scenarios")}
    assert {f"external/hawkbit/{row.partition('[')[0]}" for row in ROWS + FLEET} == there


@pytest.mark.parametrize("rows", [FLEET, ROWS], ids=["fleet", "one device each"])
def test_swupdate_passes_but_for_what_is_known_of_it(rows: list[str], vendor: Signer, tmp_path: Path) -> None:
    for program in ("swupdate", "openssl", "cpio"):
        need_program(program, program)
    wanted = [f"external/hawkbit/{row}" for row in rows]
    found = judged(wanted, vendor, tmp_path)
    assert found.keys() == set(wanted)

    known = peer_of("swupdate", PROJECT / "scenarios")
    for name, case in found.items():
        said = "" if (out := case.find("system-out")) is None else out.text or ""
        assert [one.reason for one in known_in(known, name).deviations if one.reason not in said] == [], name


def judged(wanted: list[str], vendor: Signer, folder: Path) -> dict[str, ET.Element]:
    """The testcases of a run that passed, by name; its report is shown when the test fails."""
    parts = folder / "image"
    parts.mkdir()
    image = folder / "image.swu"
    image.write_bytes(signed_image(parts, Update(PAYLOAD, folder / "installed.bin"), vendor))
    device = shlex.join(["sh", str(BOARD), str(vendor.certificate)])
    junit = folder / "junit.xml"
    command = [str(FLEETRIG), "run", *wanted, "--scenarios", str(PROJECT / "scenarios"), "--known", "swupdate"]
    command += ["--device-command", device, "--device-image", str(image), "--jobs", SIDE_BY_SIDE]
    command += ["--junit", str(junit), "--results", str(folder / "results")]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    print(ended.stdout, ended.stderr)
    assert ended.returncode == 0
    cases = ET.parse(junit).iter("testcase")
    return {f"{case.attrib['classname'].replace('.', '/')}/{case.attrib['name']}": case for case in cases}
