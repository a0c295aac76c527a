"""Scenario files as tests of pytest, and its fixture with a running server; each test is a pytest within it."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.harness.command import LIMIT_S, environment
from tests.harness.runs import BREAKS, FAILS, HEAD, PASSES, WARNS, write_scenario

pytestmark = pytest.mark.slow


def pytest_in(folder: Path, *words: str) -> tuple[int, str]:
    """Exit code and output of a pytest within this process."""
    said = io.StringIO()
    with chdir(folder), redirect_stdout(said), redirect_stderr(said):
        code = pytest.main(["-p", "no:cacheprovider", "-p", "no:locust", "--rootdir", str(folder), *words])
    return int(code), said.getvalue()


def pytest_process_in(folder: Path, *words: str) -> tuple[int, str]:
    """Exit code and output of a process."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:locust", "--rootdir", str(folder), *words],
        cwd=folder, env=environment(), capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def outcomes(folder: Path, *words: str) -> dict[str, str]:
    """What became of each item."""
    pytest_in(folder, "--junit-xml", "out.xml", *words)
    cases = ET.parse(folder / "out.xml").getroot().iter("testcase")
    return {
        case.get("name", ""): next((child.tag for child in case if child.tag not in BESIDE), "passed") for case in cases
    }


BESIDE = {"system-out", "properties"}
MATRIX = HEAD + "    matrix: {credential: [target_token, gateway_token]}\n"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    write_scenario(tmp_path, PASSES, "hawkbit/passes")
    write_scenario(tmp_path, FAILS, "hawkbit/fails")
    write_scenario(tmp_path, WARNS, "hawkbit/deep/warns")
    write_scenario(tmp_path, BREAKS, "hawkbit/deep/breaks")
    write_scenario(tmp_path, PASSES, "hawkbit/skips", HEAD + "    needs: [hawkbit.trusted_ips]\n")
    matrix = MATRIX.replace("flow: hawkbit", 'flow: hawkbit, credential: "${credential}"')
    write_scenario(tmp_path, PASSES, "hawkbit/rows", matrix)
    return tmp_path


@pytest.mark.parametrize("time", ["virtual", pytest.param("real", marks=pytest.mark.slow)])
def test_one_item_for_each_run_with_its_verdict(library: Path, time: str) -> None:
    assert outcomes(library, "scenarios", "--fleetrig-time", time) == {
        "passes": "passed",
        "fails": "failure",
        "warns": "passed",
        "breaks": "failure",
        "skips": "skipped",
        "rows[credential=target_token]": "passed",
        "rows[credential=gateway_token]": "passed",
    }


@pytest.mark.slow
def test_workers_of_xdist_agree_on_the_items(library: Path) -> None:
    code, said = pytest_process_in(library, "scenarios", "-n", "2", "-rA")
    assert code == 1, said
    assert "2 failed, 4 passed, 1 skipped" in said


FLAT_HEAD = HEAD.split("\n", 2)[2].replace("    ", "")


def collected(folder: Path, *words: str) -> tuple[set[str], str]:
    """The items of a folder, and all that was said."""
    code, said = pytest_in(folder, ".", "--collect-only", "-q", *words)
    assert code in (0, 5), said
    return {line for line in said.splitlines() if "::" in line}, said


def test_a_scenario_may_begin_with_comments_and_end_with_yml(tmp_path: Path) -> None:
    head = "# a comment\n\n---\n" + "scenario: It works\n" + FLAT_HEAD
    file = write_scenario(tmp_path, PASSES, "hawkbit/passes", head)
    file.with_name("short.yml").write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    items, _ = collected(tmp_path)
    assert items == {"scenarios/hawkbit/passes.yaml::passes", "scenarios/hawkbit/short.yml::short"}


OTHERS = {
    "docker-compose.yml": "services: {a: {image: x}}\n",
    "molecule/default/molecule.yml": "scenario:\n  name: default\nphases: 3\n".replace("phases: 3\n", ""),
    "spec.yaml": "title: x\nscenario: of another tool\n",
    "binary.yaml": "\x00\x01",
    "list.yml": "- scenario: x\n",
    "nested.yaml": "a:\n  scenario: x\n  phases: []\n  devices: {}\n",
}


def test_other_yaml_is_left_alone_without_a_word(tmp_path: Path) -> None:
    for folder in ("", "scenarios/of_another_tool/"):
        for name, text in OTHERS.items():
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="latin-1")
    items, said = collected(tmp_path, "-W", "error")
    assert items == set()
    assert "arning" not in said


def test_among_scenarios_it_is_told_why_a_file_is_none(tmp_path: Path) -> None:
    write_scenario(tmp_path, PASSES)
    for name, text in {"units.yaml": "- serial: 1\n", "other.yml": "title: x\n", "_known.yaml": "title: x\n"}.items():
        (tmp_path / "scenarios" / name).write_text(text)
    (tmp_path / "elsewhere.yaml").write_text("title: x\n")
    items, said = collected(tmp_path, "-W", "default")
    assert items == {"scenarios/hawkbit/x.yaml::x"}
    assert "scenarios/units.yaml:0" in said
    assert "no test: it does not begin with a key, and a scenario with `scenario: TITLE`" in said
    assert "no test: it begins with 'title', and a scenario with `scenario: TITLE`" in said
    assert "a name that begins with _ says that it is something else" in said
    assert "_known" not in said
    assert "elsewhere" not in said


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("tags: [a]\nscenario: It works\n" + FLAT_HEAD, "scenario must come first"),
        (FLAT_HEAD, "scenario is missing"),
        ("title: It works\n" + FLAT_HEAD, "scenario is missing"),
        ('"scenario": "x"\n', "devices is missing"),
        ("{scenario: x}\n", "devices is missing"),
    ],
)
def test_a_file_that_means_to_be_a_scenario_is_told_its_mistakes(tmp_path: Path, text: str, why: str) -> None:
    body = PASSES.replace("\n    ", "\n") if "devices:" in text else ""
    (tmp_path / "mine.yml").write_text(text + body)
    code, said = pytest_in(tmp_path, ".")
    assert code == 2
    assert why in said
    assert "mine.yml:1:" in said or "mine.yml:2:" in said


def test_tags_are_markers(tmp_path: Path) -> None:
    write_scenario(tmp_path, PASSES, "hawkbit/tagged", HEAD + "    tags: [failure, a-b.c, skip]\n")
    write_scenario(tmp_path, PASSES, "hawkbit/plain")
    strict = ("--strict-markers", "-W", "error")
    for words in (("-m", "failure"), ("-m", "a-b.c"), ("-k", "failure")):
        assert collected(tmp_path, *strict, *words)[0] == {"scenarios/hawkbit/tagged.yaml::tagged"}
    assert collected(tmp_path, *strict, "-m", "not failure")[0] == {"scenarios/hawkbit/plain.yaml::plain"}
    assert outcomes(tmp_path, "scenarios", *strict) == {"tagged": "passed", "plain": "passed"}


@pytest.mark.parametrize("family", ["xunit1", "xunit2"])
def test_its_junit_file_says_where_and_how(library: Path, family: str) -> None:
    pytest_in(library, "scenarios/hawkbit/fails.yaml", "--junit-xml", "out.xml", "-o", f"junit_family={family}",
              "--fleetrig-seed", "3")  # fmt: skip
    (case,) = ET.parse(library / "out.xml").getroot().iter("testcase")
    found = {one.get("name"): one.get("value") for one in case.iter("property")}
    trace = found.pop("trace")
    assert found == {"run": "hawkbit/fails", "file": "scenarios/hawkbit/fails.yaml", "line": "13", "seed": "3",
                     "profile": "1.1", "time_mode": "virtual", "engine": "exact",
                     "measured: first contact / reaches {stage: online}": "2 devices after 0.004 s",
                     "measured: bad / gap {at_least: 1s}": "1.002 s in 4 gaps"}  # fmt: skip
    assert Path(trace or "").is_file()
    assert (case.get("classname"), case.get("name")) == ("hawkbit", "fails")


def test_a_list_outside_is_read_only_when_that_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "u.csv").write_text("serial\nHB-1\n")
    write_scenario(tmp_path, PASSES, "a/x", HEAD.replace('count: 2, serial: "HB-{n}"', "csv: ../../u.csv"))
    code, said = pytest_in(tmp_path, "scenarios")
    assert (code, "say --allow-outside" in said) == (2, True)
    assert outcomes(tmp_path, "scenarios", "--fleetrig-allow-outside") == {"x": "passed"}


def test_a_failure_shows_its_findings_and_no_traceback(library: Path) -> None:
    code, said = pytest_in(library, "scenarios/hawkbit/fails.yaml")
    assert code == 1
    assert "failed: It works" in said
    assert "phase «bad», line 13: sends {name: download}" in said
    assert "    expected  every device sends download, at least once" in said
    assert "run again: fleetrig run hawkbit/fails --seed 1" in said
    for word in ("Traceback", "scenario_items.py", "run.py", "raise "):
        assert word not in said
    assert (library / "fleetrig-results" / "hawkbit" / "fails.trace.jsonl").is_file()


def test_a_run_that_breaks_says_why(library: Path) -> None:
    _, said = pytest_in(library, "scenarios/hawkbit/deep/breaks.yaml")
    assert "broken: It works" in said
    assert "HB-1 has no open action that could be cancelled" in said


def test_skipped_says_what_is_missing(library: Path) -> None:
    _, said = pytest_in(library, "scenarios/hawkbit/skips.yaml", "-rs")
    assert "lacks hawkbit.trusted_ips" in said


def test_a_file_with_a_mistake_is_an_error_of_collection_with_line_and_caret(library: Path) -> None:
    write_scenario(library, PASSES.replace("power_on", "power_onn"), "hawkbit/mistake")
    code, said = pytest_in(library, "scenarios/hawkbit")
    assert code == 2
    assert "mistake.yaml:7:23: " in said
    assert "'power_onn' is not known here; did you mean 'power_on'?" in said
    assert "\n                          ^" in said
    assert "Traceback" not in said


def test_items_can_be_chosen_by_name(library: Path) -> None:
    assert set(outcomes(library, "scenarios", "-k", "gateway_token")) == {"rows[credential=gateway_token]"}
    item = "scenarios/hawkbit/rows.yaml::rows[credential=target_token]"
    assert set(outcomes(library, item)) == {"rows[credential=target_token]"}


def test_seeds_are_given_on(library: Path) -> None:
    _, said = pytest_in(library, "scenarios/hawkbit/fails.yaml", "--fleetrig-seed", "42")
    assert "--seed 42" in said


FIXTURE_TEST = """
import json, urllib.request, base64

def test_a_running_server(hawkbit_server):
    pair = f"{hawkbit_server.user}:{hawkbit_server.password}".encode()
    head = {"Authorization": "Basic " + base64.b64encode(pair).decode()}
    request = urllib.request.Request(hawkbit_server.url + "/rest/v1/targets", headers=head)
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["total"] == 0

def test_each_test_has_its_own(hawkbit_server):
    assert hawkbit_server.pid > 0
    assert hawkbit_server.url == "http://" + hawkbit_server.addresses["http"]
    with urllib.request.urlopen(hawkbit_server.control) as answer:
        assert json.load(answer)["platforms"] == ["hawkbit"]
"""


def test_the_fixture_is_a_fresh_server_for_each_test(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(FIXTURE_TEST)
    code, said = pytest_in(tmp_path, "-W", "error")
    assert code == 0, said
    assert "2 passed" in said


def test_the_plugin_loads_nothing_heavy_by_itself(tmp_path: Path) -> None:
    (tmp_path / "test_light.py").write_text(
        "import sys\n\ndef test_light():\n"
        "    assert not {'pydantic', 'httpx', 'aiohttp', 'simpy', 'ruamel.yaml'} & set(sys.modules)\n"
    )
    code, said = pytest_process_in(tmp_path)
    assert code == 0, said
