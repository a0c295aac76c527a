"""Numbers, texts and products that would size work without end: each is a sentence with its bound, at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fleetrig.harness.report.exits import Exit
from fleetrig.harness.scenario_file.problems import FileMistakes
from fleetrig.harness.scenario_file.selection import expand
from fleetrig.harness.scenario_file.template import ScenarioFile
from fleetrig.harness.scenario_file.unit_list import UnitListMistake, read_units
from fleetrig.simulator.contract.bounds import DEVICES, YAML_BYTES
from fleetrig.simulator.contract.errors import UsageError
from tests.harness.command import fleetrig

pytestmark = pytest.mark.slow

Read = Callable[[str], ScenarioFile]
FILE = """
scenario: A device polls
{top}
devices: {{flow: hawkbit{devices}}}
server: {{{server}}}
phases:
  - name: first
    do: [power_on{do}]
    {span}
    expect: [{{reaches: {{stage: online}}}}{expect}]
"""
AXIS = "[" + ",".join(f"'{n}'" for n in range(1_000)) + "]"
NINES = "99999999999"


def scenario(**parts: str) -> str:
    return FILE.format(
        **{"top": "", "devices": "", "server": "", "do": "", "span": "within: 10s", "expect": "", **parts}
    )


def said(read: Read, text: str) -> str:
    with pytest.raises(UsageError) as refused:
        expand(read(text), environ={})
    return str(refused.value)


VALUES = {
    "count": ({"devices": f", count: {NINES}"}, "devices.count: expected at most 16,000,000 devices (the array"),
    "batch": ({"do": f", {{preregister: {{batch: {NINES}}}}}"}, "preregister.batch: expected at most 100,000 devices"),
    "width": ({"devices": ", serial: '{n:099999999d}'"}, "devices.serial: expected a serial without blanks"),
    "three digits of width": ({"devices": ", serial: '{n:0999d}'"}, "expected a serial of at most 256 characters"),
    "long serial": ({"devices": f", serial: {'a' * 300}"}, "expected a serial of at most 256 characters"),
    "model": ({"devices": f", model: {'a' * 10_001}"}, "devices.model: expected at most 10,000 characters"),
    "attribute": ({"devices": f", attributes: {{a: {'a' * 10_001}}}"}, "attributes.a: expected at most 10,000 char"),
    "image": ({"do": ", {deploy: {version: '1', size: 1024GiB}}"}, "deploy.size: expected at most 1GiB (an image is"),
    "image of a rollout": ({"do": ", {rollout: {version: '1', size: 2GiB}}"}, "rollout.size: expected at most 1GiB"),
    "any size": ({"do": ", {deploy: {version: '1', size: 999999999999GiB}}"}, "deploy.size: expected at most 1024GiB"),
    "groups": ({"do": f", {{rollout: {{version: '1', groups: {NINES}}}}}"}, "rollout.groups: expected at most 10,000"),
    "wait": ({"do": ", {wait: 999999999h}"}, "wait: expected at most 10000h, which is 416 days (longer than any test)"),
    "within": ({"span": "within: 10001h"}, "phases[0].within: expected at most 10000h"),
    "no time-out": ({"devices": ", timeout: 0s"}, "devices.timeout: expected a time of at least 1ms"),
    "spread": ({"devices": ", start_spread: 999999999h"}, "devices.start_spread: expected at most 10000h"),
    "backoff": ({"devices": ", backoff: {cap: 999999999h}"}, "devices.backoff.cap: expected at most 10000h"),
    "times": ({"expect": f", {{sends: {{name: poll, times: {NINES}}}}}"}, "expected at most 1,000,000,000"),
    "devices of a check": ({"expect": f", {{record: {{passed: {NINES}}}}}"}, "passed: expected at most 16,000,000 dev"),
    "window of nothing": ({"expect": ", {rate: {at_most: 1, per: 0s}}"}, "rate.per: expected a time of at least 1ms"),
    "window of a moment": (
        {"expect": ", {spread: {peak_at_most: 2, per: 0.000001ms}}"}, "spread.per: expected a time of at least 1ms"
    ),
    "true for a fraction": ({"devices": ", poll_jitter: true"}, "devices.poll_jitter: expected a number"),
    "glob": ({"do": f", {{power_cut: {{only: {'a*' * 600}}}}}"}, "power_cut.only: expected at most 1,000 characters"),
    "name of a record": ({"do": f", {{preregister: {{name: {'a' * 600}}}}}"}, "name: expected at most 512 characters"),
    "setting": ({"server": f"settings: {{pollingTime: '{' ' * 100_000}x'}}"}, "expected at most 1,000 characters"),
    "combinations": (
        {"top": f"matrix: {{a: {AXIS}, b: {AXIS}}}", "devices": ", model: '${a}${b}'"},
        "matrix makes 1,000,000 combinations, expected at most 10,000 combinations (each of them is a run)",
    ),
    "combinations of a long file": (
        {"top": f"matrix: {{a: {AXIS}}}", "devices": ", model: '${a}', attributes: {" + ",".join(
            f"k{n}: v" for n in range(3_000)) + "}"},
        "matrix makes 1,000 combinations of a file with 3,0",
    ),
    "devices of all combinations": (
        {"top": f"matrix: {{a: {AXIS}}}", "devices": ", model: '${a}', count: 100000"},
        "matrix: expected at most 10,000,000 devices in all combinations",
    ),
    "comparisons": (
        {"devices": ", count: 100000", "do": "".join(f", {{power_cut: {{only: 'Z{n}*'}}}}" for n in range(21))},
        "globs over serials: expected at most 2,000,000 comparisons",
    ),
    "a text that grows": (
        {"top": f"params: {{b: {'y' * 100_000}}}", "devices": ", model: '" + "${b}" * 10_000 + "'"},
        "expected at most 1,048,576 characters (all that ${…} stands for",
    ),
    "a list that grows": (
        {"top": f"params: {{b: {AXIS}}}", "expect": ", '${b}'" * 1_000}, "expected at most 50,000 values",
    ),
    "a word that is not known": ({"devices": f", {'z' * 700}: 1"}, f"'{'z' * 60}…' is not known here"),
}  # fmt: skip


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.slow) if case == "comparisons" else case for case in VALUES]
)
def test_a_bound_is_told_with_its_reason(read: Read, case: str) -> None:
    parts, sentence = VALUES[case]
    assert sentence in said(read, scenario(**parts))


def test_the_largest_of_all_is_good(read: Read) -> None:
    parts = {"devices": ", count: 100000", "do": ", {wait: 10000h}, {deploy: {version: '1', size: 1GiB}}"}
    (run,) = expand(read(scenario(**parts)), environ={})
    assert run.scenario.devices.unit_count() == DEVICES.most
    (serial, *_) = run.scenario.devices.serials()
    assert serial == "DEV-0001"


@pytest.mark.parametrize("escape", ["\\0", "\\ud800", "\\uDFFF", "\\e", "\\x1b[2J", "\\a", "\\b", "\\x9b"])
def test_text_that_cannot_be_shown_is_a_mistake_of_its_line(read: Read, escape: str) -> None:
    assert "x.yaml:3:33: text with U+" in said(read, scenario(devices=f', model: "a{escape}"'))


@pytest.mark.slow
@pytest.mark.parametrize("text", ["? a\n" * 100_000, "a: 1\n" * 20_000, "phases:\n" + "  - {name: 1}\n" * 2_000])
def test_mistakes_without_number_are_told_up_to_a_hundred(read: Read, text: str) -> None:
    with pytest.raises(FileMistakes) as refused:
        expand(read(text), environ={})
    assert len(refused.value.problems) > 100
    assert str(refused.value).count("x.yaml:") == 100
    assert str(refused.value).endswith(" more")


@pytest.mark.parametrize("verb", ["check", "plan", "run"])
def test_every_verb_says_it_before_anything_else(tmp_path: Path, verb: str) -> None:
    (tmp_path / "x.yaml").write_text(scenario(devices=f", count: {NINES}"), encoding="utf-8")
    done = fleetrig(verb, "x.yaml", cwd=tmp_path)
    assert done.returncode == Exit.WRONG_USAGE
    assert "x.yaml:4:33: devices.count: expected at most 16,000,000 devices" in done.stderr


OPTIONS = {
    "run --repeat": (("run", "--repeat", NINES), "at most 10,000 repetitions (all runs are planned before the first"),
    "run --jobs": (("run", "--jobs", NINES), "at most 256 runs at the same time"),
    "run --seed": (("run", "--seed", "9" * 30), "at most 9223372036854775807 (a seed has 63 bits)"),
    "simulate --seed": (("simulate", "hawkbit", "--against", "http://h", "--seed", "-" + "9" * 30), "63 bits"),
    "simulate --count": (("simulate", "hawkbit", "--against", "http://h", "--count", NINES), "at most 100,000 devices"),
    "simulate --for": (("simulate", "hawkbit", "--against", "http://h", "--for", "999999999h"), "at most 10000h"),
    "serve --http": (("serve", "--http", "127.0.0.1:" + "9" * 5_000), "a port up to 65535"),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_options_have_bounds_too(tmp_path: Path, case: str) -> None:
    (tmp_path / "scenarios").mkdir()
    words, sentence = OPTIONS[case]
    done = fleetrig(*words, cwd=tmp_path)
    assert done.returncode == Exit.WRONG_USAGE
    assert sentence in done.stderr


def test_repetitions_of_many_runs_have_a_bound_together(tmp_path: Path) -> None:
    axis = "[" + ",".join(f"'{n}'" for n in range(100)) + "]"
    text = scenario(top=f"matrix: {{a: {axis}}}", devices=", model: '${a}'")
    (tmp_path / "x.yaml").write_text(text, encoding="utf-8")
    done = fleetrig("run", "x.yaml", "--repeat", "10000", cwd=tmp_path)
    assert done.returncode == Exit.WRONG_USAGE
    assert "100 runs with --repeat 10000: expected at most 100,000 runs" in done.stderr


LISTS = {
    "rows": ("serial\n" + "\n".join(map(str, range(100_001))), r"u.csv:100002: expected at most 100,000 devices"),
    "columns": ("serial," + ",".join(f"c{n}" for n in range(100)) + "\nA\n", "u.csv:1: expected at most 100 columns"),
    "cell": (f"serial,a\nA,{'x' * 10_001}\n", "u.csv:2: expected at most 10,000 characters"),
    "a huge cell": (f"serial,a\nA,{'x' * 200_000}\n", "u.csv:2: field larger than field limit"),
    "long serial": (f"serial\n{'x' * 257}\n", "u.csv:2: expected a serial of at most 256 characters"),
    "NUL": ("serial,a\nA,\0\n", "u.csv:2: expected text without NUL"),
    "escape": ("serial\nA\x1b[2J\n", "u.csv:2: expected a serial of characters that can be seen"),
    "a step of a path": ("serial\n..\n", "u.csv:2: expected a serial that is no step of a path"),
}


@pytest.mark.parametrize("case", [pytest.param("rows", marks=pytest.mark.slow), *sorted(set(LISTS) - {"rows"})])
def test_a_list_of_units_has_bounds(tmp_path: Path, case: str) -> None:
    content, sentence = LISTS[case]
    (tmp_path / "u.csv").write_text(content, encoding="utf-8")
    with pytest.raises(UnitListMistake, match=sentence):
        read_units(tmp_path / "u.csv")


def test_a_list_without_end_is_not_read_to_its_end() -> None:
    with pytest.raises(UnitListMistake, match="zero:1: expected at most 64 MiB"):
        read_units(Path("/dev/zero"))


def test_a_file_without_end_is_not_read_to_its_end(read: Read) -> None:
    assert "too large" in said(read, "#" * (YAML_BYTES.most + 1))


def test_a_list_that_has_changed_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "u.csv"
    path.write_text("serial\nA\n")
    assert [unit.serial for unit in read_units(path)] == ["A"]
    assert read_units(path) is read_units(path), "once for all runs that name it"
    path.write_text("serial\nB\nC\n")
    assert [unit.serial for unit in read_units(path)] == ["B", "C"]
