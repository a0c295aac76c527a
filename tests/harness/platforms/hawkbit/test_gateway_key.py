"""A gateway key that no header can carry is a mistake of the file, with its line, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.scenario_file.problems import FileMistakes
from fleetrig.harness.verdict import Verdict
from tests.harness.runs import expanded, run_once

HEAD = """
    scenario: A key
    devices: {flow: hawkbit, serial: "HB-{n}", credential: gateway_token}
    server:
      settings: {pollingTime: "00:00:01", authentication.gatewaytoken.key: KEY}
"""
BODY = """
    phases:
      - name: let in
        do: power_on
        within: 10s
        expect: [{reaches: {stage: online}}]
"""


@pytest.mark.parametrize("key", ['"schön ÿ"', '"a b"', "plain"])
def test_keys_that_devices_can_send(key: str, tmp_path: Path) -> None:
    for real_time in (False, True):
        report = run_once(tmp_path, BODY, head=HEAD.replace("KEY", key), real_time=real_time)
        assert report.verdict is Verdict.PASSED


@pytest.mark.parametrize("key", ['"łódź"', '"a\\nb"', '" a"', '"a "'])
def test_keys_that_they_cannot_send(key: str, tmp_path: Path) -> None:
    with pytest.raises(FileMistakes, match=r":4:.*a token that devices can send was expected"):
        expanded(tmp_path, BODY, head=HEAD.replace("KEY", key))
