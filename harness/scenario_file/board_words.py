"""The words of `do` for boards, each a model of its arguments; `run.board_actions` performs them.

`{run}` in a text stands for a word that each run has of its own, so that what is read cannot be left from before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    Strict,
    model_validator,
)

from fleetrig.harness.scenario_file.action_words import ActionWord
from fleetrig.harness.scenario_file.flashed_image import ImageEntry, Sha256
from fleetrig.harness.scenario_file.values import (
    Count,
    Duration,
    LooseText,
    Model,
    PositiveCount,
    Size,
    Text,
    Word,
    readable_size,
)
from fleetrig.simulator.contract.units import duration_text
from fleetrig.simulator.contract.unreadable import why_no_pattern

RUN_PLACE: Final = "{run}"
PROMPT_WITHIN_S: Final = 60.0
LINE_FAULTS: Final = ("bit_error", "drop", "duplicate", "garbage", "wrong_baud", "cut", "stall", "unplug")
"""As `hil.ports.line_faults` performs them; a test holds the two together."""


def regular_expression(text: str) -> str:
    try:
        re.compile(text.replace(RUN_PLACE, "x"))
    except re.error as wrong:
        raise ValueError(f"expected a regular expression ({why_no_pattern(wrong)})") from None
    return text


Regex = Annotated[Text, AfterValidator(regular_expression), Field(examples=["^Linux version "])]
"""Found anywhere in a line unless it says `^` or `$`."""
ExitStatus = Annotated[int, Strict(), Field(ge=0, le=255)]


class BoardSelector(Model):
    """Words that concern one board."""

    board: Word | None = None
    """Which one, by its role in `boards`; the only one when not given."""

    def roles(self) -> Iterator[str]:
        """The roles that are named."""
        if self.board is not None:
            yield self.board

    @property
    def whom(self) -> str:
        return "the board" if self.board is None else f"the board {self.board}"


class BoardWord(ActionWord):
    """A word that works on boards."""

    def roles(self) -> Iterator[str]:
        yield from ()

    @property
    def is_for_one(self) -> bool:
        """Whether it works on a board that must be named if there are several."""
        return not list(self.roles())


class Flash(BoardSelector, BoardWord):
    """Writes an image to a board, which is asked before who it is. It is off afterwards, where it can be switched."""

    image: ImageEntry
    """A file, or one of `size` and `gateway`."""
    sha256: Sha256 | None = None
    """What its SHA-256 must be; checked before the board is touched."""
    fails: LooseText | None = None
    """It must fail, and this is a part of the reason."""
    cut_after_bytes: Annotated[Size, Field(ge=1)] | None = Field(None, alias="cut_after")
    """Cuts the board's power when so much has been sent over its line; what was written so far stays."""

    @model_validator(mode="after")
    def _ends_in_one_way(self) -> Self:
        if self.fails is not None and self.cut_after_bytes is not None:
            raise ValueError("cut_after breaks it off, so it cannot fail as well: give one of them")
        return self

    def describe(self) -> str:
        what = f"write {self.image.describe()} to {self.whom}"
        if self.cut_after_bytes is not None:
            return f"{what}, and cut its power after {readable_size(self.cut_after_bytes)}"
        return what if self.fails is None else f"{what}, which must fail: {self.fails}"


class ShellLine(BoardSelector):
    """A command typed at a board's console. It must end with `status`, and print what `expect` says."""

    run: Text
    """What is typed, one line."""
    expect: Regex | None = None
    """A regular expression that is found in what it prints."""
    status: ExitStatus | Literal["any"] = 0
    """The exit status with which it must end."""
    within_s: Duration = Field(10.0, alias="within")
    """How long it may take."""

    @model_validator(mode="after")
    def _is_a_line(self) -> Self:
        if not self.run.isprintable():
            raise ValueError("run: expected one line")
        return self


def _line(value: Any) -> Any:
    return {"run": value} if isinstance(value, str) else value


LineEntry = Annotated[ShellLine, BeforeValidator(_line, json_schema_input_type=ShellLine | str)]


def _lines(value: Any) -> Any:
    return [value] if isinstance(value, str | Mapping) else value


LINES_OR_ONE: Final = BeforeValidator(_lines, json_schema_input_type=ShellLine | str | tuple[LineEntry, ...])


class ConsoleCommands(BoardWord, RootModel[Annotated[tuple[LineEntry, ...], Field(min_length=1), LINES_OR_ONE]]):
    """Types commands at a board's console, one after another: `shell: [{run: uname -r, expect: "^6"}]`."""

    model_config = ConfigDict(frozen=True)

    @property
    def lines(self) -> tuple[ShellLine, ...]:
        return self.root

    def roles(self) -> Iterator[str]:
        for line in self.root:
            yield from line.roles()

    @property
    def is_for_one(self) -> bool:
        return any(line.board is None for line in self.root)

    def describe(self) -> str:
        typed = [f"{line.run!r}" + (f" at {line.board}" if line.board else "") for line in self.root]
        return f"type {', '.join(typed)}"


class Reset(BoardSelector, BoardWord):
    """Restarts a board, without cutting its power where the bench can."""

    makes_known = True

    def describe(self) -> str:
        return f"reset {self.whom}"


class Unplug(BoardSelector, BoardWord):
    """Pulls a board's serial cable and plugs it in again; its power stays."""

    for_s: Duration = Field(1.0, alias="for")
    """How long the cable is out."""
    during: Text | None = None
    """A command that has just been typed when the cable goes; what it says is lost."""

    def describe(self) -> str:
        when = f" while it runs {self.during!r}" if self.during else ""
        return f"unplug the line of {self.whom} for {duration_text(self.for_s)}{when}"


class ProvisionOverConsole(BoardSelector, BoardWord):
    """Writes onto a board who it is, where the server is and its credential, as the bench file says; reads it back."""

    makes_known = True
    cut_after_bytes: Annotated[Size, Field(ge=1)] | None = Field(None, alias="cut_after")
    """Cuts the board's power when so much has been typed at it."""

    def describe(self) -> str:
        cut = f", and cut its power after {readable_size(self.cut_after_bytes)}" if self.cut_after_bytes else ""
        return f"give {self.whom} its identity over its console{cut}"


class BringUpUnits(BoardWord, Model):
    """Brings boards up, all at once: off, flashed, booted, provisioned. Each leaves a record, which `unit` judges."""

    makes_known = True
    units: Annotated[Mapping[Word, Text], Field(min_length=1)] | None = None
    """Role -> serial number of the unit that it is to be; each board that plays a device is that one by default, and
    always if it is to be `provisioned`: then it is made known to the server too, so nothing may have registered it."""
    to: Literal["flashed", "booted", "provisioned"] = "booted"
    """How far."""
    image: ImageEntry | None = None
    """Without one the boards are not flashed."""
    sha256: Sha256 | None = None
    """What the SHA-256 of the image must be."""
    again: bool = False
    """Also units that have passed."""
    records: Word = "units"
    """Where their records are kept: the beginning of a folder's name among the results; each run has its own."""

    @model_validator(mode="after")
    def _has_what_to_flash(self) -> Self:
        if self.to == "flashed" and self.image is None:
            raise ValueError("to: flashed needs an image")
        if self.to == "provisioned" and self.units is not None:
            raise ValueError("units: a board that is to be provisioned is the device that it plays: leave units away")
        return self

    def roles(self) -> Iterator[str]:
        yield from self.units or ()

    @property
    def is_for_one(self) -> bool:
        return False

    def describe(self) -> str:
        whom = (
            "all boards" if self.units is None else ", ".join(f"{role} as {unit}" for role, unit in self.units.items())
        )
        flashed = f" with {self.image.describe()}" if self.image is not None else ""
        return f"bring up {whom}{flashed}, until they are {self.to}"


class LineFaultEntry(Model):
    """Something that goes wrong on a serial line: at the bytes `at`, or about every `every`."""

    fault: Literal[LINE_FAULTS]  # type: ignore[valid-type]
    """What goes wrong."""
    way: Literal["to_board", "from_board"] = "to_board"
    """In which direction."""
    at: tuple[Count, ...] = ()
    """The bytes at which it happens, counted in its direction from now on."""
    every_bytes: Annotated[Size, Field(ge=1)] | None = Field(None, alias="every")
    """In place of `at`: about so often, drawn."""
    most: PositiveCount | None = None
    """How often at most."""
    length_bytes: Annotated[Size, Field(ge=1)] = Field(1, alias="length")
    """How many bytes it is about."""
    for_s: Duration = Field(0.0, alias="for")
    """How long a `stall`, `cut` or `unplug` lasts."""

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if bool(self.at) == (self.every_bytes is not None):
            raise ValueError("expected at (which bytes) or every (how often), one of them")
        return self

    def describe(self) -> str:
        where = (
            f"about every {readable_size(self.every_bytes)}"
            if self.every_bytes
            else f"at byte {', '.join(map(str, self.at))}"
        )
        return f"{self.fault} {self.way.replace('_', ' ')} {where}"


class LineFaults(BoardSelector, BoardWord):
    """Makes a board's line fail from now to the end of the phase; each of the faults must have happened by then."""

    faults: Annotated[tuple[LineFaultEntry, ...], Field(min_length=1)]
    """What goes wrong on the line."""

    def describe(self) -> str:
        faults = "; ".join(one.describe() for one in self.faults)
        return f"make the line of {self.whom} fail until the phase ends: {faults}"


class MakeGatewayUpdate(BoardSelector, BoardWord):
    """Makes an update of the emulated gateway's firmware, signed for this run, which `deploy` then brings to it.

    The gateway is told over its console whose signature it takes.
    """

    build: Text
    """The build id of what it installs."""

    def describe(self) -> str:
        return f"make an update with the gateway's firmware {self.build}, and tell {self.whom} who signed it"


BOARD_WORDS: Final[Mapping[str, type[ActionWord]]] = {
    "flash": Flash,
    "shell": ConsoleCommands,
    "reset": Reset,
    "unplug": Unplug,
    "provision_over_console": ProvisionOverConsole,
    "bring_up": BringUpUnits,
    "line_faults": LineFaults,
    "make_gateway_update": MakeGatewayUpdate,
}
