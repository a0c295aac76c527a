"""What a scenario file can get wrong about boards, with the words and the place that a person is told."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from fleetrig.harness.scenario_file.board_words import LINE_FAULTS
from fleetrig.harness.scenario_file.problems import FileMistakes
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.harness.scenario_file.selection import expand
from fleetrig.harness.scenario_file.template import ScenarioFile
from fleetrig.hil.ports.line_faults import LineFaultKind

Read = Callable[[str], ScenarioFile]

TWO = "{left: {offers: [power], device: GW-0001}, right: {device: GW-0002}}"
FLEET = '{flow: hawkbit, serial: "GW-{n:04d}", count: 3}'


def text(boards: str, do: str, expect: str = "[]", devices: str = FLEET) -> str:
    """Line 2 is the block `boards`, line 6 the action."""
    boards = f"boards: {boards}" if boards else "# none"
    judged = f"    for: 1s\n    expect: {expect}\n" if expect != "[]" else ""
    return f"scenario: x\n{boards}\ndevices: {devices}\nphases:\n  - name: a\n    do: {do}\n{judged}"


def scenario_of(read: Read, file: str) -> Scenario:
    (run,) = expand(read(file))
    return run.scenario


def said_about(read: Read, file: str) -> list[str]:
    with pytest.raises(FileMistakes) as refused:
        scenario_of(read, file)
    return [f"{one.mark.line}: {one.sentence}" for one in refused.value.problems]


MISTAKES = {
    "no boards": (text("", "reset"), "6: reset is about a board, and this scenario has none"),
    "unknown role": (
        text(TWO, "{reset: {board: rihgt}}"),
        "6: reset: the board 'rihgt' is not known here; did you mean",
    ),
    "which board": (text(TWO, "reset"), "6: reset: which board? Say `board:` and one of left, right"),
    "which of a shell's": (
        text(TWO, "{shell: [{run: ls, board: left}, ls]}"),
        "6: shell: which board? Say `board:` and one of left, right",
    ),
    "which one prints": (
        text(TWO, "power_on", "[{prints: {line: x}}]"),
        "8: prints: which board? Say `board:` and one of left, right",
    ),
    "no such device": (
        text("{left: {device: GW-0009}}", "power_on"),
        "2: boards.left.device: 'GW-0009' is not known here; did you mean 'GW-0003'?",
    ),
    "played twice": (
        text("{left: {device: GW-0001}, right: {device: GW-0001}}", "power_on"),
        "2: boards.right.device: GW-0001 is played by left already",
    ),
    "also a program": (
        text("{left: {}}", "power_on", devices="{flow: hawkbit, external: true}"),
        "2: boards: a board plays the device itself: leave `external: true` away",
    ),
    "also a gateway": (
        text("{left: {}}", "power_on", devices="{flow: hawkbit, children: 2}"),
        "2: boards: a board plays one device: children",
    ),
    "plays nobody": (
        text("{left: {}}", "provision_over_console"),
        "6: provision_over_console: the board left plays no device: say `device: SERIAL` in boards.left",
    ),
    "looked into": (
        text(TWO, "power_on", "[{reaches: {stage: online}}]"),
        "8: it is about a stage of a device, and nobody can look into the board left, which plays GW-0001",
    ),
    "looked into by all": (
        text(TWO, "power_on", "[{record: {}}]"),
        "8: it is about",
    ),
    "cannot be switched": (
        text(TWO, "power_cut"),
        "6: power_cut switches off the board right, which plays GW-0002: say `offers: [power]` in boards.right",
    ),
    "cannot be cut": (
        text(TWO, "{flash: {board: right, image: {size: 4KiB}, cut_after: 1KiB}}"),
        "6: flash: cut_after cuts power: say `offers: [power]` in boards.right",
    ),
    "an unjudged unit": (
        text(TWO, "{bring_up: {units: {left: A, right: B}}}", "[{unit: {board: left}}]"),
        "6: nobody asks what became of the board right",
    ),
    "no unit": (
        text("{left: {}, right: {device: GW-0001}}", "bring_up", "[{unit: {board: left}}, {unit: {board: right}}]"),
        "6: bring_up: which unit is the board left to be? Say `units: {left: SERIAL}`",
    ),
    "a unit of another name": (
        text(TWO, "{bring_up: {to: provisioned, units: {left: A}}}", "[{unit: {board: left}}]"),
        "a board that is to be provisioned is the device that it plays: leave units away",
    ),
    "a unit that is nobody": (
        text("{left: {}, right: {device: GW-0001}}", "{bring_up: {to: provisioned}}", "[{unit: {board: right}}]"),
        "6: bring_up: the board left plays no device: say `device: SERIAL` in boards.left",
    ),
    "no image": (text(TWO, "{flash: {board: left}}"), "6: phases[0].do[0].flash: image is missing"),
    "two images": (
        text(TWO, "{flash: {board: left, image: {size: 1KiB, gateway: x}}}"),
        "6: phases[0].do[0].flash.image: expected the path of a file, or one of size (so many bytes) and gateway",
    ),
    "no such file": (
        text(TWO, "{flash: {board: left, image: gw.img}}"),
        "6: phases[0].do[0].flash.image.file: expected a file that exists",
    ),
    "cut and failing": (
        text(TWO, "{flash: {board: left, image: {size: 4KiB}, cut_after: 1KiB, fails: x}}"),
        "cut_after breaks it off, so it cannot fail as well",
    ),
    "no regular expression": (
        text(TWO, "power_on", "[{prints: {board: left, line: '('}}]"),
        "8: phases[0].expect[0].prints.line: expected a regular expression",
    ),
    "two lines in one": (text(TWO, '{shell: [{run: "a\\nb", board: left}]}'), "run: expected one line"),
    "no fault of lines": (
        text(TWO, "{line_faults: {board: left, faults: [{fault: bit_eror, at: [1]}]}}"),
        "did you mean 'bit_error'?",
    ),
    "nowhere": (
        text(TWO, "{line_faults: {board: left, faults: [{fault: drop}]}}"),
        "expected at (which bytes) or every (how often), one of them",
    ),
    "a passed unit with a reason": (
        text(TWO, "power_on", "[{unit: {board: left, reason_has: x}}]"),
        "a unit that has passed has no reason: leave reason_has away",
    ),
}


@pytest.mark.parametrize(("file", "said"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_told_with_their_line(read: Read, file: str, said: str) -> None:
    assert any(said in one for one in said_about(read, file)), said_about(read, file)


def test_what_leaves_the_board_out_may_look_into_devices(read: Read) -> None:
    only_right = "[{reaches: {stage: online, only: GW-0003}}]"
    assert scenario_of(read, text(TWO, "{power_cut: {only: GW-0001}}", only_right)).boards.keys() == {"left", "right"}


@pytest.mark.parametrize(
    ("boards", "devices", "played"),
    [
        ("{one: {}}", "{flow: hawkbit, serial: A-1}", {"one": "A-1"}),
        ("{one: {}}", FLEET, {}),
        ("{one: {}, two: {}}", "{flow: hawkbit, serial: A-1}", {}),
        (TWO, FLEET, {"left": "GW-0001", "right": "GW-0002"}),
        ("", FLEET, {}),
    ],
)
def test_whom_a_board_plays(read: Read, boards: str, devices: str, played: dict[str, str]) -> None:
    assert scenario_of(read, text(boards, "power_on", devices=devices)).played == played


def test_a_short_way_to_write_an_image_and_a_command(read: Read, tmp_path: Path) -> None:
    (tmp_path / "gw.img").write_bytes(b"x")
    scenario = scenario_of(read, text("{one: {}}", "[flash: {image: gw.img}, shell: uname]"))
    flash, shell = (action.arguments for action in scenario.phases[0].do)
    assert flash.describe() == "write gw.img to the board"
    assert shell.describe() == "type 'uname'"


def test_line_faults_have_the_names_that_the_line_has() -> None:
    assert tuple(map(str, LineFaultKind)) == LINE_FAULTS


def test_what_boards_do_is_told_in_words(read: Read) -> None:
    do = """[flash: {board: left, image: {size: 4KiB}, cut_after: 2KiB}, reset: {board: right},
      unplug: {board: left, for: 2s, during: top}, provision_over_console: {board: left},
      line_faults: {board: left, faults: [{fault: drop, every: 1KiB}]},
      make_gateway_update: {board: left, build: b}, bring_up: {units: {right: B}, to: booted}]"""
    scenario = scenario_of(read, text(TWO, do, "[{unit: {board: right}}]"))
    said = [action.arguments.describe() for action in scenario.phases[0].do]
    assert said == [
        "write an image of 4 KiB to the board left, and cut its power after 2 KiB",
        "reset the board right",
        "unplug the line of the board left for 2s while it runs 'top'",
        "give the board left its identity over its console",
        "make the line of the board left fail until the phase ends: drop to board about every 1 KiB",
        "make an update with the gateway's firmware b, and tell the board left who signed it",
        "bring up right as B, until they are booted",
    ]
    assert all(one != other for one, other in pairwise(said))
