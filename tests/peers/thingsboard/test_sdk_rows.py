"""ThingsBoard's own SDK against the device rows (D01 to D34), through `fleetrig run external`.

Nobody here wrote it. What it does otherwise stands in scenarios/_known_deviations.yaml with what in it is the reason:
here it must pass everything else, and deviate where it is said to. It has no CoAP.
"""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fleetrig.harness.run.known_deviations import known_in, peer_of
from fleetrig.harness.scenario_file.selection import plan
from tests.peers.serving import FLEETRIG

pytestmark = [pytest.mark.slow]

SCENARIOS = Path(__file__).parents[3] / "scenarios"
DEVICE = Path(__file__).with_name("sdk_row_device.py")
SIDE_BY_SIDE = "12"
"""They mostly wait, but the SDK takes its time to start."""
LIMIT_S = 600.0

ROWS = [
    # The longest first, so that none is left for the end.
    "own_certificate", "own_token[over=http]", "strange_server[certificate=wrong_name]", "token_replaced[over=mqtt]",
    "token_replaced[over=http]",
    "session_refused[code=3]", "session_refused[code=5]", "http_errors[status=413]",
    "http_errors[status=500]", "failure[over=mqtt]", "failure[over=http]", "lost_reply[over=mqtt]",
    "lost_reply[over=http]", "not_found[over=mqtt]", "not_found[over=http]", "long_reply[over=mqtt]",
    "factory_reset[over=mqtt]", "factory_reset[over=http]", "first_contact", "first_contact_http", "gateway",
    "lenient_reply[over=mqtt]", "lenient_reply[over=http]", "mqtt_basic", "no_suback", "other_kind",
    "own_token[over=mqtt]", "power_cut_after_stored[over=mqtt]", "power_cut_after_stored[over=http]",
    "power_cut_before_stored[over=mqtt]", "power_cut_before_stored[over=http]", "refusal_without_text[over=mqtt]",
    "refusal_without_text[over=http]", "reply_cut[over=mqtt]", "reply_cut[over=http]", "reply_elsewhere",
    "reply_no_json[over=mqtt]", "reply_no_json[over=http]", "reply_of_unknown_kind[over=mqtt]",
    "reply_of_unknown_kind[over=http]", "reply_twice", "reply_without_value[over=mqtt]",
    "reply_without_value[over=http]", "secrets[over=mqtt,credential=server_token]",
    "secrets[over=mqtt,credential=own_token]", "secrets[over=http,credential=server_token]",
    "secrets_refused[over=mqtt]", "secrets_refused[over=http]", "session_ended",
]  # fmt: skip
OF_COAP = {"first_contact_coap", "separate_response"}
ELSEWHERE = {"no_reply", "closed_without_reply", "stampede"}
"""What is known of it there is a matter of time, which a busy machine distorts: `test_sdk_deviations` sees that it asks
again every second, gives up after 60 s over MQTT and never over HTTP, and that it draws nothing."""


def test_every_scenario_is_among_them() -> None:
    """With one value of each matrix at least."""
    there = {row.scenario.id.rpartition("/")[2] for row in plan(["external/thingsboard"], SCENARIOS)}
    assert {row.partition("[")[0] for row in ROWS} == there - OF_COAP - ELSEWHERE


def test_the_sdk_passes_but_for_what_is_known_of_it(sdk: str, tmp_path: Path) -> None:
    """Every third row; `make soak` has all."""
    judge_rows(ROWS[::3], sdk, tmp_path)


def judge_rows(rows: list[str], sdk: str, folder: Path) -> None:
    wanted = [f"external/thingsboard/{row}" for row in rows]
    found = judged(wanted, sdk, folder)
    assert found.keys() == set(wanted)

    known = peer_of("thingsboard-sdk", SCENARIOS)
    for name, case in found.items():
        said = "" if (out := case.find("system-out")) is None else out.text or ""
        assert [one.reason for one in known_in(known, name).deviations if one.reason not in said] == [], name


def judged(wanted: list[str], python: str, folder: Path) -> dict[str, ET.Element]:
    """The testcases of a run that passed, by name; its report is shown when the test fails."""
    junit = folder / "junit.xml"
    command = [str(FLEETRIG), "run", *wanted, "--scenarios", str(SCENARIOS), "--known", "thingsboard-sdk"]
    command += ["--device-command", shlex.join([python, str(DEVICE)]), "--jobs", SIDE_BY_SIDE]
    command += ["--junit", str(junit), "--results", str(folder / "results")]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    print(ended.stdout, ended.stderr)
    assert ended.returncode == 0
    cases = ET.parse(junit).iter("testcase")
    return {f"{case.attrib['classname'].replace('.', '/')}/{case.attrib['name']}": case for case in cases}
