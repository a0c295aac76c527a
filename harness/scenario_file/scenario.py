"""A scenario: the file format is these models, and `platform_models` adds a platform's words to them.

`reader` turns text into them, `template` fills in values first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, lru_cache
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    PlainValidator,
    PrivateAttr,
    Strict,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from fleetrig.harness.scenario_file.backoff_line import BackoffLine
from fleetrig.harness.scenario_file.boards_block import BoardRole, played_by
from fleetrig.harness.scenario_file.check_words import ProgramsKeepRunning
from fleetrig.harness.scenario_file.cohort_lines import CohortLine, cohort_counts
from fleetrig.harness.scenario_file.entry import as_list
from fleetrig.harness.scenario_file.fault_line import FaultLine
from fleetrig.harness.scenario_file.server_block import ServerBlock
from fleetrig.harness.scenario_file.unit_list import Unit, read_units, with_children
from fleetrig.harness.scenario_file.values import (
    AttributeText,
    Cite,
    Duration,
    FleetCount,
    LooseText,
    Model,
    Name,
    Number,
    Scalar,
    Text,
    UnitList,
    Window,
    Word,
    written_as,
)
from fleetrig.harness.scenario_file.words import Action, Check, with_words
from fleetrig.simulator.contract.bounds import COMBINATIONS, DEVICES
from fleetrig.simulator.contract.trace import Lane
from fleetrig.simulator.fleet import SERIAL, check_template, has_number, serial_of

POWER_CUT_POINTS: Final = "power_cut_points"
"""In place of a list in `matrix`: every point at which power can be cut. A dry run lists them."""

Serial = Annotated[str, AfterValidator(check_template), WithJsonSchema({"type": "string", "pattern": f"^{SERIAL}$"})]

EXPECTED_OF_PROGRAMS: Final = (
    with_words(Check, {"keeps_running": ProgramsKeepRunning}).model_validate("keeps_running"),
)


def _written(count: int) -> str:
    return f"{count:,}" if count < 10**18 else "more than 10^18"


def _axis(value: Any) -> tuple[Scalar, ...] | str:
    if value == POWER_CUT_POINTS:
        return POWER_CUT_POINTS
    plain = isinstance(value, list | tuple) and all(isinstance(one, bool | int | float | str) for one in value)
    if not plain or not value:
        raise ValueError(f"expected a list of single values, or {POWER_CUT_POINTS}")
    if len({str(one) for one in value}) < len(value):
        raise ValueError("expected values that differ from each other")
    return tuple(value)


Axis = Annotated[
    tuple[bool | int | float | str, ...] | str,
    PlainValidator(_axis),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": POWER_CUT_POINTS},
                {"type": "array", "items": {"type": ["string", "number", "boolean"]}, "minItems": 1},
            ]
        }
    ),
]


class Heading(Model):
    """What a file says of itself: enough to list, select and expand it."""

    title: Annotated[str, Field(min_length=1, max_length=200, alias="scenario"), written_as(r"[^\n]*", "one line")]
    """A sentence that is true when the scenario passes."""
    cites: tuple[Cite, ...] = ()
    """Rows of the contract that it is about, such as PLATFORM#S41."""
    tags: tuple[Word, ...] = ()
    """Names by which `--tag` selects it; in pytest they are markers."""
    needs: tuple[Word, ...] = ()
    """What the server must be able to do, or the scenario is skipped: reference.faults, or a word of the platform."""
    params: Mapping[Name, Any] = {}
    """Values that `${name}` stands for."""
    matrix: Mapping[Name, Axis] = {}
    """Names with several values each: the scenario runs once for every combination."""

    @model_validator(mode="after")
    def _can_be_expanded(self) -> Self:
        lists = [axis for axis in self.matrix.values() if axis != POWER_CUT_POINTS]
        if len(lists) < len(self.matrix) - 1:
            raise ValueError(f"only one name of matrix can be {POWER_CUT_POINTS}")
        if (count := math.prod(map(len, lists))) > COMBINATIONS.most:
            raise ValueError(f"matrix makes {_written(count)} combinations, expected {COMBINATIONS}")
        return self


class Devices(Model):
    """The fleet: number and kind of devices, and how they authenticate."""

    count: FleetCount = 1
    """How many devices there are."""
    csv: UnitList | None = None
    """One unit per line, in place of `count` and `serial`: columns serial, and token, type, certificate, key where
    given; others are attributes."""
    flow: str
    """The protocol that the devices speak."""
    external: bool = False
    """The devices are external programs, started by `--device-command` and judged by what the server saw.
    All that stands below but `serial` and `credential` counts only where our own device takes their place."""
    over: str
    """Which transport they use, where the flow has several."""
    serial: Serial = "DEV-{n:04d}"
    """The serials: `{n}` or `{n:04d}` stands for 1, 2, 3 …, `{n:02x}` for the same in hex."""
    children: Annotated[int, Strict(), Field(ge=0)] = 0
    """Each device is a gateway, with so many devices behind it: SERIAL-1, SERIAL-2 …. All of them hold the gateway's
    credential, share its one connection, and go off with it."""
    credential: str
    """How devices authenticate. Tokens are those that `preregister` gives to the server."""
    model: LooseText = ""
    """The make, for readers: devices send nothing of it, but `attributes`."""
    hw_revision: LooseText = ""
    """The revision of the hardware, for readers."""
    attributes: Mapping[str, AttributeText] = {}
    """What devices report when the server asks; `csv` columns come on top."""
    attributes_mode: str
    """What becomes of attributes that the server has already."""
    start_spread_s: Duration = Field(0.0, alias="start_spread")
    """Devices that are switched on together really start over so long."""
    backoff: BackoffLine = BackoffLine()
    """How long they wait after failures."""
    install_time_s: Duration = Field(5.0, alias="install_time")
    """How long they take to install an update."""
    timeout_s: Window = Field(10.0, alias="timeout")
    """The request timeout of a device."""
    interval_s: Duration = Field(300.0, alias="interval")
    """How often a device polls until the server has named an interval."""
    poll_jitter: Annotated[Number, Field(ge=0, le=1)] = 0.0
    """Each pause is drawn from the interval to the interval times (1 + this): never faster than the server says."""
    cohorts: tuple[CohortLine, ...] = ()
    """Several makes of device, the first devices being of the first one: shares of the fleet, and what they do
    otherwise than stands above."""

    @model_validator(mode="after")
    def _serials_differ(self) -> Self:
        if self.csv is not None and {"count", "serial"} & self.model_fields_set:
            raise ValueError("csv names the devices: leave count and serial away")
        if self.count > 1 and not has_number(self.serial):
            raise ValueError("serial needs {n} when there are several devices")
        return self

    @model_validator(mode="after")
    def _programs_are_given_tokens(self) -> Self:
        if self.external and self.credential in self.certificates - self.program_certificates:
            raise ValueError("a program of yours is given tokens only: devices with certificates are simulated ones")
        return self

    @model_validator(mode="after")
    def _children_fit(self) -> Self:
        if not self.children:
            return self
        DEVICES.check((1 if self.csv is not None else self.count) * (1 + self.children))
        if self.external and not self.children_are_silent:
            raise ValueError("children stand behind simulated gateways: a program of yours speaks for one device")
        if self.credential in self.certificates and not self.children_are_silent:
            raise ValueError("children share a connection, which can show one certificate only: give them a token")
        return self

    @model_validator(mode="after")
    def _cohorts_make_it_up(self) -> Self:
        if self.cohorts and (self.csv is not None or self.children or self.external):
            raise ValueError("cohorts are parts of a fleet that has a count: not of a list (csv), not with children, "
                             "and not of programs")  # fmt: skip
        if self.cohorts:
            cohort_counts(self.cohorts, self.count)
        return self

    @model_validator(mode="after")
    def _can_be_built(self) -> Self:
        for rule in self.rules:
            if why := rule(self):
                raise ValueError(why)
        return self

    certificates: ClassVar[frozenset[str]] = frozenset()
    """The credentials of the flow's platform that are certificates."""
    program_certificates: ClassVar[frozenset[str]] = frozenset()
    """Those of them that programs are given as files."""
    rules: ClassVar[tuple[Callable[[Any], str], ...]] = ()
    """What the flow's platform asks of a fleet: each says what no device could do, empty when nothing."""
    children_are_silent: ClassVar[bool] = False
    """Devices behind gateways are known to the registry alone: `units` leaves them away."""

    def makes(self) -> Iterator[tuple[str, int, Self]]:
        """Name, number of devices and block of each cohort, in the order of their devices."""
        if not self.cohorts:
            yield self.flow, self.count, self
            return
        for line, count in zip(self.cohorts, cohort_counts(self.cohorts, self.count), strict=True):
            yield line.name, count, self.model_copy(update={"cohorts": (), **line.otherwise()})

    def units(self) -> Iterator[Unit]:
        """The devices one by one, made lazily."""
        everybody = self._everybody()
        if not self.children_are_silent:
            return everybody
        return (unit for unit in everybody if unit.gateway in ("", unit.serial))

    def _everybody(self) -> Iterator[Unit]:
        """With those behind gateways."""
        if self.csv is not None:
            return with_children(read_units(self.csv), self.children)
        return with_children((Unit(serial_of(self.serial, n)) for n in range(1, self.count + 1)), self.children)

    def children_of(self, serial: str) -> tuple[str, ...]:
        """The serials of those behind a gateway."""
        alone = with_children([Unit(serial)], self.children)
        return tuple(unit.serial for unit in alone if unit.serial != serial)

    def unit_count(self) -> int:
        """How many there are, without making them."""
        return (self.count if self.csv is None else len(read_units(self.csv))) * (1 + self.children)

    def speaker_count(self) -> int:
        """How many have a connection, or share their gateway's."""
        return self.unit_count() // (1 + self.children) if self.children_are_silent else self.unit_count()

    def speakers(self) -> tuple[str, ...]:
        """The serials of those."""
        return tuple(unit.serial for unit in self.units()) if self.children_are_silent else self.serials()

    def serials(self) -> tuple[str, ...]:
        """Of all of them; made once for all runs that have the same ones."""
        if self.csv is not None or self.children:
            return tuple(unit.serial for unit in self._everybody())
        return _serials(self.serial, self.count)


@lru_cache(maxsize=4)
def _serials(template: str, count: int) -> tuple[str, ...]:
    return tuple(serial_of(template, number) for number in range(1, count + 1))


class Phase(Model):
    """Performs actions, and expects something of the result."""

    name: Text
    """What it is about, in a few words; no two phases have the same."""
    do: Annotated[tuple[Action, ...], BeforeValidator(as_list, json_schema_input_type=Action | tuple[Action, ...])] = ()
    """A word, a word with arguments, or a list of these."""
    within_s: Duration | None = Field(None, alias="within")
    """Waits until everything expected holds, at most this long."""
    for_s: Duration | None = Field(None, alias="for")
    """Watches for this whole time."""
    faults: tuple[FaultLine, ...] = ()
    """What goes wrong; times count from the phase's beginning."""
    expect: tuple[Check, ...] = ()
    """Checks that have to hold: within `within`, or for all of `for`."""

    @model_validator(mode="after")
    def _has_one_span(self) -> Self:
        if self.within_s is not None and self.for_s is not None:
            raise ValueError("within waits and for watches the whole span: give one of them")
        if self.expect and self.within_s is None and self.for_s is None:
            raise ValueError("expect needs within (how long to wait at most) or for (how long to watch)")
        if self.within_s is not None and not self.expect:
            raise ValueError("within waits for what expect says: add expect, or use for")
        if self.within_s is not None and not any(check.arguments.waits() for check in self.expect):
            raise ValueError(
                "within ends as soon as all of expect holds, and all of this holds from the start: use for"
            )
        if self.for_s == 0 and self.expect and not self.do:
            raise ValueError("for: 0s watches nothing: expected a time above 0")
        return self


class Scenario(Heading):
    """A whole file with its values filled in."""

    devices: Devices
    """The fleet."""
    boards: Mapping[Word, BoardRole] = {}
    """Boards of the bench that it works on, each by its role here. Such a scenario runs in real time."""
    server: ServerBlock = ServerBlock()
    """How the server is set up, and how much it can do."""
    faults: tuple[FaultLine, ...] = ()
    """What goes wrong; times count from the beginning of the run."""
    phases: tuple[Phase, ...] = Field(min_length=1)
    """What happens, one after the other. The first phase that fails ends the run."""
    _id: str = PrivateAttr("")
    _path: Path = PrivateAttr(Path())
    _line: int = PrivateAttr(0)

    @model_validator(mode="wrap")
    @classmethod
    def _placed(cls, value: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        scenario = handler(value)
        place = info.context or {}
        scenario._id = place.get("id", "")  # noqa: SLF001 (our own, from a class method)
        scenario._path = place.get("path", Path())  # noqa: SLF001
        scenario._line = place.get("line", 0)  # noqa: SLF001
        names = [phase.name for phase in scenario.phases]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two phases are called {twice!r}")
        return scenario

    @model_validator(mode="after")
    def _can_be_seen_from_outside(self) -> Self:
        if not self.devices.external:
            return self
        for phase in self.phases:
            words = [action.arguments for action in phase.do], [check.arguments for check in phase.expect]
            for why in filter(None, (word.needs_device_access() for word in chain(*words))):
                raise ValueError(f"phase {phase.name!r}: {why}, and nobody can look into an external device")
        return self

    @model_validator(mode="after")
    def _has_certificates_where_they_matter(self) -> Self:
        credential = self.devices.credential
        if credential in self.devices.certificates:
            return self
        for phase in self.phases:
            for action in phase.do:
                if action.arguments.is_about_certificates():
                    raise ValueError(f"phase {phase.name!r}: {action.word} is about certificates, "
                                     f"and these devices show none (credential: {credential})")  # fmt: skip
        return self

    def checks_of(self, phase: Phase) -> tuple[Check, ...]:
        """What a phase expects, and what is expected of every phase where devices are programs."""
        watches = phase.within_s is not None or phase.for_s is not None
        return (*phase.expect, *EXPECTED_OF_PROGRAMS) if self.devices.external and watches else phase.expect

    @property
    def id(self) -> str:
        """The path below `scenarios/` without `.yaml`; empty when it came from no file."""
        return self._id

    @property
    def path(self) -> Path:
        return self._path

    @property
    def file(self) -> str:
        """The path for people: relative to the working folder when the file lies below it, empty without a file."""
        here, path = Path.cwd(), self._path.absolute()
        return "" if self._path == Path() else str(path.relative_to(here) if path.is_relative_to(here) else path)

    @property
    def line(self) -> int:
        """The line of its title; 0 when it came from no file."""
        return self._line

    @cached_property
    def played(self) -> dict[str, str]:
        """Role of a board -> the serial of the device that it plays."""
        if not self.boards:
            return {}
        return played_by(self.boards, self.devices.unit_count(), next(self.devices.units()).serial)

    @property
    def event_lane(self) -> Lane | None:
        """The lane of the trace that says what the devices do; None for both, where boards play some of them."""
        if self.played:
            return None
        return Lane.SERVER if self.devices.external else Lane.DEVICE

    @property
    def platform(self) -> str:
        return self.server.platform or self.devices.flow
