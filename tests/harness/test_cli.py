"""The command from outside: what it prints, where, and with which exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from fleetrig.harness import cli
from fleetrig.harness.cli import VERBS, Verb, main, platform_first
from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.report.exits import Exit
from fleetrig.simulator.contract.errors import BrokenBench, ModelError

PROJECT = Path(__file__).parents[2]
GOOD = """
scenario: It works
tags: [smoke]
needs: [hawkbit.admin]
devices: {flow: hawkbit}
phases: [{name: a, for: 1s}]
"""


@pytest.fixture
def library(write: Callable[..., Path]) -> Path:
    write(GOOD, "scenarios/hawkbit/topic.yaml")
    write("scenario: Another\ndevices: {flow: hawkbit}\nphases: [{name: a, for: 1s}]\n", "scenarios/hawkbit/b.yaml")
    return Path("scenarios")


def test_list_prints_one_line_per_scenario(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--scenarios", "scenarios"]) == 0
    assert capsys.readouterr() == (
        "hawkbit/b      Another\nhawkbit/topic  It works  tags: smoke  needs: hawkbit.admin\n",
        "",
    )
    assert main(["list", "--tag", "smoke", "hawkbit/topic"]) == 0
    assert capsys.readouterr() == (
        "hawkbit/topic  It works  tags: smoke  needs: hawkbit.admin  yours: scenarios/hawkbit/topic.yaml\n",
        "2 in scenarios are yours, and what commands without an ID mean\n",
    )


def test_list_shows_ones_own_first_and_which_stand_in_for_shipped_ones(
    library: Path, write: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    write(GOOD, "scenarios/hawkbit/demo.yaml")

    assert main(["list", "hawkbit"]) == 0

    lines = capsys.readouterr().out.splitlines()
    ids = [line.split()[0] for line in lines]
    assert ids[:4] == ["hawkbit/b", "hawkbit/demo", "hawkbit/topic", "hawkbit/attributes"]
    assert ids.count("hawkbit/demo") == 1
    assert lines[1].endswith("  yours: scenarios/hawkbit/demo.yaml, in place of the shipped one")
    assert not any("yours" in line for line in lines[3:])


def test_nothing_is_written_beside_the_shipped_scenarios(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "mine/x", "--scenarios", "shipped"]) == 4
    said = "--scenarios shipped are those that came with fleetrig: leave it away, or name a folder\n"
    assert capsys.readouterr().err == said
    assert not Path("shipped").exists()


def test_a_new_scenario_hides_no_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "mine/first"]) == 0
    assert main(["check", "hawkbit/demo"]) == 0
    assert main(["check"]) == 0
    assert main(["run", "hawkbit/outage_backoff"]) == 0
    assert main(["run"]) == 0
    said = capsys.readouterr().out
    assert said.count("1 scenario OK") == 2
    assert "ok hawkbit/outage_backoff" in said
    assert "ok mine/first" in said


def test_list_shows_the_good_files_and_tells_of_the_others(
    library: Path, write: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    write("a: [", "scenarios/z.yaml")

    assert main(["list"]) == 4

    out, err = capsys.readouterr()
    assert out.count("  yours: ") == 2
    err = err.removeprefix("3 in scenarios are yours, and what commands without an ID mean\n")
    assert err.startswith("scenarios/z.yaml:1:5: a value is missing here")


def test_check_counts_what_is_fine(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    assert main(["check", "scenarios/hawkbit/b.yaml"]) == 0
    assert capsys.readouterr().out == "2 scenarios OK\n1 scenario OK\n"


def test_check_tells_all_mistakes_of_all_files(
    library: Path, write: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    write("scenario: x\ndevices: {flow: hawkbt}\n", "scenarios/a.yaml")
    write(GOOD.replace("flow", 'count: "${n}", flow').replace("tags", "matrix: {n: [1, x]}\ntags"), "scenarios/c.yaml")

    assert main(["check"]) == 4

    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "scenarios/a.yaml:1:1: phases is missing\n    scenario: x\n    ^\n"
        "scenarios/a.yaml:2:17: devices.flow: expected hawkbit, thingsboard, hono or kura, got 'hawkbt'; "
        "did you mean 'hawkbit'?\n"
        "    devices: {flow: hawkbt}\n                    ^\n"
        "scenarios/c.yaml:5:18: devices.count: expected a whole number, got 'x' from ${n}\n"
        '    devices: {count: "${n}", flow: hawkbit}\n                     ^\n'
        "`fleetrig explain WORD` says what a word means, `fleetrig explain` names all of them\n"
    )


def test_new_writes_a_scenario_that_is_fine_and_overwrites_nothing(
    library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", "hawkbit/deep/mine"]) == 0
    assert main(["check", "hawkbit/deep/mine"]) == 0
    Path("scenarios/hawkbit/deep/mine.yaml").write_text("mine")

    assert main(["new", "hawkbit/deep/mine"]) == 4
    assert main(["new", "scenarios/hawkbit/deep/mine.yaml"]) == 4

    assert Path("scenarios/hawkbit/deep/mine.yaml").read_text() == "mine"
    assert capsys.readouterr().err == "scenarios/hawkbit/deep/mine.yaml exists already; choose another name\n" * 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["lst"], 4, "fleetrig has no command 'lst'; did you mean list? See `fleetrig --help`\n"),
        (["help", "lst"], 4, "fleetrig has no command 'lst'; did you mean list? See `fleetrig --help`\n"),
        (["issue"], 4, "fleetrig has no command 'issue'; did you mean `fleetrig ca issue`? See `fleetrig --help`\n"),
        (["zzz"], 4, "fleetrig has no command 'zzz'; see `fleetrig --help`\n"),
        (
            ["list", "-x"],
            4,
            (
                "fleetrig list has no option -x; options of more than one letter begin with two dashes; "
                "see `fleetrig list --help`\n"
            ),
        ),
        (["new"], 4, "fleetrig new needs PATH; see `fleetrig new --help`\n"),
        (["new", "a", "b"], 4, "fleetrig new takes PATH and nothing more, got b; see `fleetrig new --help`\n"),
        (["ca", "isue"], 4, "fleetrig ca has no command 'isue'; did you mean issue? See `fleetrig ca --help`\n"),
        (["ca", "new"], 4, "fleetrig ca new needs DIR; see `fleetrig ca new --help`\n"),
        (["ca", "sign"], 4, "fleetrig ca sign needs DIR and REQUEST.csr; see `fleetrig ca sign --help`\n"),
        (["--nope"], 4, "fleetrig has no option --nope; see `fleetrig --help`\n"),
        (["--debug=1"], 4, "--debug takes no value: leave away what follows =; see `fleetrig --help`\n"),
        (
            ["run", "--agianst", "x"],
            4,
            "fleetrig run has no option --agianst; did you mean --against? See `fleetrig run --help`\n",
        ),
        (["run", "--seed"], 4, "--seed needs a value: --seed N; see `fleetrig run --help`\n"),
        (["run", "--strict=1"], 4, "--strict takes no value: leave away what follows =; see `fleetrig run --help`\n"),
        (["run", "--jobs", "x"], 4, "--jobs: expected a whole number, got 'x'; see `fleetrig run --help`\n"),
        (["run", "--jobs", "0"], 4, "--jobs: expected a number of at least 1, got '0'; see `fleetrig run --help`\n"),
        (
            ["run", "--time", "reel"],
            4,
            "--time: expected virtual or real, got 'reel'; did you mean real? See `fleetrig run --help`\n",
        ),
        (
            ["serve", "hawkbit"],
            4,
            (
                "fleetrig serve takes options only, got hawkbit; did you mean --platform hawkbit? "
                "See `fleetrig serve --help`\n"
            ),
        ),
        (
            ["simulate", "hawkbit"],
            4,
            "fleetrig simulate hawkbit needs --against URL|SERVER.yaml; see `fleetrig simulate hawkbit --help`\n",
        ),
        (
            ["check", "hawkbit/topi"],
            5,
            "no scenario is called hawkbit/topi in scenarios, nor shipped with fleetrig; did you mean hawkbit/topic?\n",
        ),
        (["list", "--tag", "x"], 5, "no scenario carries the tag x\n"),
        (["list", "--scenarios", "nope"], 5, "there is no folder nope\n"),
    ],
)
def test_wrong_usage_has_its_exit_code_and_one_sentence(
    library: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    assert main(arguments) == code
    assert capsys.readouterr() == ("", said)


def raising(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adds a verb `boom` that raises."""

    def boom() -> None:
        raise error

    module = types.ModuleType("boom_module")
    module.boom = boom  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "boom_module", module)
    monkeypatch.setitem(VERBS, "boom", Verb("boom_module:boom", "Raises."))


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (BrokenBench("the server cannot be reached"), 3, "the server cannot be reached\n"),
        (
            ModelError("device X: online -> blank is not a legal move"),
            70,
            "device X: online -> blank is not a legal move\n",
        ),
        (KeyboardInterrupt(), 2, "interrupted\n"),
        (KeyError("x"), 70, "this is a bug in fleetrig (KeyError: 'x'); --debug shows where, please report it\n"),
    ],
)
def test_every_kind_of_error_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], error: BaseException, code: int, said: str
) -> None:
    raising(error, monkeypatch)

    assert main(["boom"]) == code
    assert capfd.readouterr().err == said


def test_debug_shows_the_traceback_wherever_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    raising(BrokenBench("unreachable"), monkeypatch)

    for arguments in (["--debug", "boom"], ["boom", "--debug"]):
        with pytest.raises(BrokenBench):
            main(arguments)


def run_python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=folder, check=False
    )


def test_help_imports_nothing_heavy() -> None:
    heavy = "{'pydantic', 'ruamel.yaml', 'httpx', 'aiohttp', 'simpy', 'locust', 'rich'}"
    code = f"import sys; from {cli.__name__} import main; main(['--help']); print('heavy:', {heavy} & set(sys.modules))"

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True, cwd=PROJECT
    )

    assert done.stdout.endswith("heavy: set()\n")
    assert all(f"\n  {name} " in done.stdout for name in VERBS)


@pytest.mark.parametrize(
    ("words", "usage", "argument"),
    [
        (["run"], "[OPTIONS] [ID...]", "  ID...  IDs, the beginnings of IDs up to a slash"),
        (["list"], "[OPTIONS] [ID...]", "[default: all of ./scenarios, and those shipped with fleetrig]"),
        (["new"], "[OPTIONS] PATH", "  PATH  An ID"),
        (["report"], "[OPTIONS] TRACE.jsonl...", "  TRACE.jsonl...  Traces of runs"),
        (["conform", "hawkbit"], "[OPTIONS] [ID...]", "  ID...  Rows"),
    ],
)
def test_arguments_have_names_and_no_types(
    words: list[str], usage: str, argument: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"Usage: fleetrig {' '.join(words)} {usage}\n")
    assert argument in said
    assert "<" not in said


BY_PLATFORM = [name for name, verb in VERBS.items() if verb.by_platform]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_leads_to_a_function_and_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: fleetrig {verb} ")


FAMILIES = [(verb, part) for verb in VERBS for part in VERBS[verb].parts]


@pytest.mark.parametrize(("verb", "part"), FAMILIES)
def test_each_command_of_a_family_leads_to_a_function_and_has_help(
    verb: str, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb, "--help"]) == 0
    assert f"\n  {part} " in capsys.readouterr().out
    assert main([verb, part, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: fleetrig {verb} {part} [OPTIONS]")


@pytest.mark.parametrize("verb", BY_PLATFORM)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_platform_has_its_own_options(verb: str, platform: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--help"]) == 0
    listed = capsys.readouterr().out
    assert "PLATFORM" in listed
    assert f"\n  {platform}  " in listed
    assert main([verb, platform, "--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"Usage: fleetrig {verb} {platform} [OPTIONS]")
    assert "--against" in said


@pytest.mark.parametrize("verb", BY_PLATFORM)
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["hawkbt", "--against", "http://h"],
            "there is no platform 'hawkbt'; expected hawkbit, thingsboard, hono or kura; did you mean hawkbit?",
        ),
        (["moon"], "there is no platform 'moon'; expected hawkbit, thingsboard, hono or kura\n"),
        (["--against", "http://h"], "needs a platform: hawkbit, thingsboard, hono, kura; see `fleetrig {verb} --help`"),
    ],
)
def test_a_platform_that_is_missing_or_unknown(
    verb: str, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb, *words]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"fleetrig {verb}")
    assert said.format(verb=verb) in err


def test_options_may_stand_before_the_platform(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conform", "--list", "hawkbit", "S41"]) == 0
    first = capsys.readouterr().out
    assert main(["conform", "hawkbit", "S41", "--list"]) == 0
    assert capsys.readouterr().out == first
    assert first.count("\n") == 1
    assert platform_first("doctor", ["--user", "hawkbit", "hawkbit", "-x"]) == ["hawkbit", "--user", "hawkbit", "-x"]


def test_the_help_of_a_platforms_verbs_imports_no_engine() -> None:
    heavy = "{'ruamel.yaml', 'httpx', 'aiohttp', 'simpy', 'rich', 'cryptography'}"
    code = (
        f"import sys; from {cli.__name__} import main; [main([verb, '--help']) for verb in {BY_PLATFORM!r}]; "
        f"print('heavy:', {heavy} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True, cwd=PROJECT
    )
    assert done.stdout.endswith("heavy: set()\n")


def test_a_stop_that_became_another_error_is_still_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the making of a model does, of which the imports of a verb make hundreds."""

    def interrupted(*_: object) -> int:
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            raise ValueError("no schema can be built") from None
        return 0

    monkeypatch.setattr(cli, "_run", interrupted)
    assert main(["list"]) == Exit.INTERRUPTED
    assert capsys.readouterr().err == "interrupted\n"


def test_help_and_version_are_no_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("fleetrig 0.")
    assert main(["list", "--help"]) == 0
    assert "--tag" in capsys.readouterr().out


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_scandal() -> None:
    """As `fleetrig schema | true`: quiet on stderr, at the end of the interpreter too."""
    reading, writing = os.pipe()
    os.close(reading)
    code = "import sys; from fleetrig.harness.cli import main; sys.exit(main(['schema']))"

    done = subprocess.run(
        [sys.executable, "-c", code], stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False, cwd=PROJECT
    )
    os.close(writing)

    assert (done.returncode, done.stderr) == (3, b"")
