"""Where output goes: tried before anything is done, whole or not there, and a full disk is one sentence."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from fleetrig.harness.checks.manufacturing_record import write_record
from fleetrig.harness.commands.live_trace import LiveTrace
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.report.whole_file import whole_file
from fleetrig.harness.run.trace_file import TraceFile
from fleetrig.harness.running_server.server import RunningServer
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from tests.harness.command import LIMIT_S, Done, environment, fleetrig
from tests.harness.runs import FAILS, PASSES, write_scenario

pytestmark = pytest.mark.slow

FULL_BYTES = 16_384
WRITES_NO_MODULE = """
import sys
sys.dont_write_bytecode = True  # what is compiled would be cut, and break whatever imports it afterwards
from fleetrig.harness.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""More than what is tried beforehand, less than what is written."""

COMMANDS = {
    "run --junit": ["run", "--junit", "PLACE"],
    "run --trace": ["run", "--trace", "PLACE"],
    "run --results": ["run", "--results", "PLACE"],
    "report --junit": ["report", "t.jsonl", "--junit", "PLACE"],
    "conform --junit": ["conform", "hawkbit", "S16", "--junit", "PLACE"],
    "simulate --trace": ["simulate", "hawkbit", "--against", "http://127.0.0.1:9", "--trace", "PLACE"],
    "serve --trace": ["serve", "--http", "127.0.0.1:0", "--trace", "PLACE"],
    "serve --ready-file": ["serve", "--http", "127.0.0.1:0", "--ready-file", "PLACE"],
}


def with_place(words: Sequence[str], place: Path) -> list[str]:
    return [str(place) if word == "PLACE" else word for word in words]


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS.keys())
def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path, words: Sequence[str]) -> None:
    write_scenario(tmp_path, PASSES)
    done = fleetrig(*with_place(words, tmp_path / "nowhere" / "x"), cwd=tmp_path)
    assert done.returncode == Exit.WRONG_USAGE
    option = next(word for word in words if word.startswith("--") and words[words.index(word) + 1] == "PLACE")
    folder = tmp_path / "nowhere"
    assert done.stderr == f"{option} {folder / 'x'}: {folder} is not there: make that folder first\n"
    assert done.stdout == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scenarios"]


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS.keys())
def test_a_file_for_a_folder_is_told(tmp_path: Path, words: Sequence[str]) -> None:
    write_scenario(tmp_path, PASSES)
    (tmp_path / "file").touch()
    done = fleetrig(*with_place(words, tmp_path / "file" / "x"), cwd=tmp_path)
    assert done.returncode == Exit.WRONG_USAGE
    assert f"{tmp_path / 'file'} is no folder" in done.stderr


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS.keys())
def test_links_that_lead_in_a_circle_are_told(tmp_path: Path, words: Sequence[str]) -> None:
    write_scenario(tmp_path, PASSES)
    (tmp_path / "round").symlink_to("round")
    done = fleetrig(*with_place(words, tmp_path / "round"), cwd=tmp_path)
    assert done.returncode == Exit.WRONG_USAGE
    assert f"{tmp_path / 'round'} is a link that leads in a circle" in done.stderr
    below = fleetrig(*with_place(words, tmp_path / "round" / "x"), cwd=tmp_path)
    assert below.returncode == Exit.WRONG_USAGE
    assert "make that folder first" in below.stderr


def on_a_full_disk(*words: str, cwd: Path) -> Done:
    """No file can become longer than that, as on a disk that is full then."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_BYTES, FULL_BYTES))

    done = subprocess.run(
        [sys.executable, "-c", WRITES_NO_MODULE, *words], cwd=cwd, env=environment(), preexec_fn=limit,
        capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "bug in fleetrig" not in done.stderr + done.stdout
    return Done(done.returncode, done.stdout, done.stderr)


LONG = (
    PASSES
    + """
      - name: watches
        for: 1h
        expect: [{gap: {at_least: 1ms}}]
"""
)


def test_a_trace_that_was_asked_for_and_found_no_room(tmp_path: Path) -> None:
    write_scenario(tmp_path, LONG)
    done = on_a_full_disk("run", "--trace", "t.jsonl", cwd=tmp_path)
    assert done.returncode == Exit.BROKEN
    assert "cannot write the trace t.jsonl: " in done.stdout
    assert "File too large" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["scenarios"]


def test_a_failed_run_stays_failed_without_room_for_its_trace(tmp_path: Path) -> None:
    write_scenario(tmp_path, FAILS.replace("within: 10s", "within: 1h"))
    done = on_a_full_disk("run", "--junit", "j.xml", cwd=tmp_path)
    assert done.returncode == Exit.FAILED
    assert (tmp_path / "j.xml").exists()
    assert list(tmp_path.rglob("*.part")) == []


def test_a_simulation_whose_trace_found_no_room_is_no_success(tmp_path: Path, empty_server: RunningServer) -> None:
    words = [
        "simulate",
        "hawkbit",
        "--against",
        empty_server.url,
        "--register",
        "--count",
        "40",
        "--for",
        "1s",
        "--spread",
        "0s",
    ]
    done = on_a_full_disk(*words, "--trace", "t.jsonl", cwd=tmp_path)
    assert done.returncode == Exit.BROKEN, done
    assert done.stderr.count("the trace t.jsonl ends here: File too large") == 1


def test_output_that_finds_no_room_is_no_bug_of_ours(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "fleetrig.harness.cli", "list"], cwd=tmp_path, env=environment(), stdout=full,
            stderr=subprocess.PIPE, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip
    said = "cannot write the output: No space left on device: make room on that disk\n"
    assert (done.returncode, done.stderr) == (Exit.BROKEN, said)


def test_a_device_is_written_and_not_replaced(tmp_path: Path) -> None:
    write_scenario(tmp_path, PASSES)
    done = fleetrig("run", "--junit", "/dev/full", cwd=tmp_path)
    assert done.returncode == Exit.BROKEN
    assert done.stderr == "cannot write /dev/full: No space left on device: make room on that disk\n"
    done = fleetrig("run", "--trace", "/dev/full", cwd=tmp_path)
    assert done.returncode == Exit.BROKEN
    assert "cannot write the trace /dev/full: No space left on device" in done.stdout
    assert Path("/dev/full").is_char_device()


def test_names_that_no_file_system_takes(tmp_path: Path) -> None:
    write_scenario(tmp_path, PASSES)
    for option in ("--junit", "--trace", "--results"):
        done = fleetrig("run", option, "x" * 5_000, cwd=tmp_path)
        assert done.returncode == Exit.WRONG_USAGE
        assert "File name too long" in done.stderr
        assert len(done.stderr) < 500


def test_nothing_is_left_of_a_file_that_was_broken_off(tmp_path: Path) -> None:
    place = tmp_path / "x"
    place.write_text("before")
    with pytest.raises(KeyboardInterrupt), whole_file(place) as file:  # noqa: PT012 (in the middle)
        file.write("half of")
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert place.read_text() == "before"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("before")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with whole_file(tmp_path / "link") as file:
        file.write("after")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "after"


def test_records_are_both_there_or_neither(tmp_path: Path) -> None:
    (tmp_path / "lot.json").mkdir()
    with pytest.raises(BrokenBench, match="cannot write the manufacturing record"):
        write_record([{"serial": "A"}], tmp_path, "lot")
    assert [path.name for path in tmp_path.iterdir()] == ["lot.json"]


def event(number: int) -> TraceEvent:
    return TraceEvent(0, number, "", Lane.BENCH, "note", reason="x" * 1_000)


def test_a_trace_without_room_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    with LiveTrace(Path("/dev/full"), Secrets()) as trace:
        for number in range(40):
            trace.write(event(number))
    assert trace.complaint
    said = capsys.readouterr().err
    assert said.startswith("the trace /dev/full ends here: No space left on device")
    assert said.count("\n") == 1


def test_temporary_files_without_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(BrokenBench, match=r"cannot make a temporary file for the trace"):
        TraceFile(tmp_path / "t", {}, Secrets())
