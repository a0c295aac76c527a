"""Files that a scenario names: only from below its folder, whatever leads out of it, unless that is allowed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fleetrig.harness.report.exits import Exit
from tests.harness.command import fleetrig

SCENARIO = """
    scenario: Units from a list
    devices: {flow: hawkbit, DEVICES}
    server: {settings: {pollingTime: "00:00:01"}}
    phases:
      - name: first
        do: [DO, power_on]
        within: 10s
        expect: [{reaches: {stage: online}}]
"""
OUTSIDE = "below the folder of the scenario"
PLACES = {
    "devices": ("csv: PATH", "preregister"),
    "preregister": ("count: 1, serial: U-1", "{preregister: {csv: PATH}}"),
}


@pytest.fixture
def files(write: Callable[..., Path], tmp_path: Path) -> Path:
    write("serial\nU-1\n", "secret/units.csv")
    write("serial\nU-1\n", "s/units/inside.csv")
    (tmp_path / "s" / "link.csv").symlink_to(tmp_path / "secret" / "units.csv")
    (tmp_path / "s" / "folder").symlink_to(tmp_path / "secret")
    (tmp_path / "s" / "circle.csv").symlink_to(tmp_path / "s" / "circle.csv")
    return tmp_path


@pytest.fixture
def checked(files: Path, write: Callable[..., Path]) -> Callable[..., tuple[int, str]]:
    def check(where: str, path: str, *words: str, verb: str = "check") -> tuple[int, str]:
        devices, do = (part.replace("PATH", path) for part in PLACES[where])
        write(SCENARIO.replace("DEVICES", devices).replace("DO", do), "s/x.yaml")
        done = fleetrig(verb, "s/x.yaml", *words, cwd=files)
        return done.returncode, done.stdout + done.stderr

    return check


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize(
    "path", ["../secret/units.csv", "link.csv", "folder/units.csv", "units/../../secret/units.csv"]
)
def test_a_file_outside_is_read_only_when_that_is_allowed(
    checked: Callable[..., tuple[int, str]], where: str, path: str
) -> None:
    code, said = checked(where, path)
    assert (code, OUTSIDE in said, "--allow-outside" in said) == (Exit.WRONG_USAGE, True, True)
    assert checked(where, path, "--allow-outside")[0] == Exit.PASSED


@pytest.mark.parametrize("verb", ["plan", "run", "list"])
def test_every_verb_asks(checked: Callable[..., tuple[int, str]], verb: str) -> None:
    code, said = checked("devices", "../secret/units.csv", verb=verb)
    assert (code, OUTSIDE in said) == (Exit.WRONG_USAGE, True)
    assert checked("devices", "../secret/units.csv", "--allow-outside", verb=verb)[0] == Exit.PASSED


def test_an_absolute_path_is_no_way_around(checked: Callable[..., tuple[int, str]], files: Path) -> None:
    assert OUTSIDE in checked("devices", str(files / "secret" / "units.csv"))[1]
    assert OUTSIDE in checked("devices", "/etc/passwd")[1]
    assert OUTSIDE in checked("devices", "/no/such/file")[1]
    assert checked("devices", str(files / "s" / "units" / "inside.csv"))[0] == Exit.PASSED


@pytest.mark.parametrize("path", ["circle.csv", "a" * 5_000, "x" + "/y" * 3_000, "units"])
def test_what_cannot_be_a_file_is_a_mistake_with_its_line(checked: Callable[..., tuple[int, str]], path: str) -> None:
    code, said = checked("devices", path)
    assert code == Exit.WRONG_USAGE
    assert "x.yaml:2:" in said
    assert "expected a file that exists" in said


def test_a_trace_is_judged_again_with_the_same_word(checked: Callable[..., tuple[int, str]], files: Path) -> None:
    assert (
        checked("devices", "../secret/units.csv", "--allow-outside", "--trace", "t.jsonl", verb="run")[0] == Exit.PASSED
    )
    report = ("report", "t.jsonl", "--scenarios", "s")
    assert OUTSIDE in fleetrig(*report, cwd=files).stderr
    assert fleetrig(*report, "--allow-outside", cwd=files).returncode == Exit.PASSED
