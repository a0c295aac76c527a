"""The kinds of value a scenario file is made of: times and sizes with units, counts, files.

A validator says what was expected; `problems` adds what came, since it knows where that stood and whether it is secret.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeVar, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    Strict,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.scenario_file.named_files import named_file
from fleetrig.harness.scenario_file.unit_list import read_units
from fleetrig.simulator.contract.bounds import (
    COUNT,
    DEVICES,
    FLEET_DEVICES,
    IMAGE_BYTES,
    PATTERN_CHARS,
    RECORD_CHARS,
    TEXT_CHARS,
    Bound,
)
from fleetrig.simulator.contract.units import DURATION, SIZE, duration_s, duration_text, size_bytes, size_text

T = TypeVar("T")

LEAST_WINDOW_S: Final = 0.001
FLEET_SHARE: Final = re.compile(r"(\d{1,4}(?:\.\d{1,4})?)%", re.ASCII)
WHOLE_PERCENT: Final = 100
SHARE_DIGITS: Final = 6
"""0.7% of 1,000 are 7, which floating point numbers miss by a little."""


class Model(BaseModel):
    """Everything in a scenario file: frozen, and a key that is not known is a mistake.

    Python names carry units (`within_s`), names in the file do not (`within: 30s`): the file's name is the alias.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


def scalar(value: Any) -> bool | int | float | str:
    """A single value, its type kept."""
    if not isinstance(value, bool | int | float | str):
        raise ValueError("expected a single value (text, number, true or false)")
    return str(value) if isinstance(value, str) else value


def attribute_text(value: Any) -> str:
    """Attributes are text on every platform; YAML's `true` and `1.5` are written as they stand there."""
    value = scalar(value)
    TEXT_CHARS.check(len(str(value)))
    return str(value).lower() if isinstance(value, bool) else str(value)


def unit_list(value: Any, info: ValidationInfo) -> Path:
    """A file that `read_units` can read."""
    path = named_file(value, info)
    read_units(path)
    return path


def all_or_count(value: Any) -> int | Literal["all"]:
    if value == "all":
        return "all"
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        FLEET_DEVICES.check(value)
        return value
    raise ValueError("expected 'all' or a number of devices")


Duration = Annotated[
    float,
    PlainValidator(duration_s),
    PlainSerializer(duration_text, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": f"^{DURATION.pattern}$", "examples": ["500ms", "30s", "5m", "1h"]}),
]
"""Seconds; in the file a text with its unit."""

Size = Annotated[
    int,
    PlainValidator(size_bytes),
    PlainSerializer(size_text, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": f"^{SIZE.pattern}$", "examples": ["512B", "4KiB", "1MiB"]}),
]
"""Bytes; in the file a text with its unit."""

Scalar = Annotated[
    bool | int | float | str, PlainValidator(scalar), WithJsonSchema({"type": ["string", "number", "boolean"]})
]
AttributeText = Annotated[
    str, PlainValidator(attribute_text), WithJsonSchema({"type": ["string", "number", "boolean"]})
]
UnitList = Annotated[Path, PlainValidator(unit_list), WithJsonSchema({"type": "string"})]
AllOrCount = Annotated[
    int | Literal["all"],
    PlainValidator(all_or_count),
    WithJsonSchema({"anyOf": [{"const": "all"}, {"type": "integer", "minimum": 0}]}),
]


def up_to(bound: Bound) -> AfterValidator:
    """Accepts a number, or a text of so many characters, up to the bound; otherwise says the bound and why."""

    def check(value: T) -> T:
        bound.check(len(value) if isinstance(value, str) else cast(float, value))
        return value

    return AfterValidator(check)


def some_time(seconds: float) -> float:
    """A time that can be divided by."""
    if seconds < LEAST_WINDOW_S:
        raise ValueError("expected a time of at least 1ms")
    return seconds


Window = Annotated[Duration, AfterValidator(some_time)]
"""A time in which something is counted."""


def written_as(pattern: str, expected: str) -> AfterValidator:
    """Accepts text that matches the pattern as a whole; otherwise says what was expected."""

    def check(text: str) -> str:
        PATTERN_CHARS.check(len(text))
        if not re.fullmatch(pattern, text):
            raise ValueError(f"expected {expected}")
        return text

    return AfterValidator(check)


def share_of_fleet(value: Any, info: ValidationInfo) -> Any:
    """`0.5%` as so many of the devices of the context's `devices`; anything else as it is. Raises ValueError."""
    found = FLEET_SHARE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return value
    count = (info.context or {}).get("devices")
    if count is None:
        raise ValueError("expected a number: a share of the devices stands in a scenario with devices.count")
    return round(float(found[1]) * count / WHOLE_PERCENT, SHARE_DIGITS)


def whole_share_of_fleet(value: Any, info: ValidationInfo) -> Any:
    """The same, rounded up."""
    share = share_of_fleet(value, info)
    return math.ceil(share) if isinstance(share, float) and isinstance(value, str) else share


FleetShare = Annotated[str, Field(pattern=f"^{FLEET_SHARE.pattern}$", examples=["0.5%"])]
"""A share of the devices, so that a scenario fits fleets of any size. Read by `share_of_fleet`."""

HttpStatus = Annotated[int, Strict(), Field(ge=100, le=599)]
FinalStatus = Annotated[int, Strict(), Field(ge=200, le=599)]
Text = Annotated[str, Field(min_length=1), up_to(TEXT_CHARS)]
RecordText = Annotated[str, Field(min_length=1), up_to(RECORD_CHARS)]
"""What stands in the record of each device."""
LooseText = Annotated[str, up_to(TEXT_CHARS)]
"""It may be empty."""
Count = Annotated[int, Strict(), Field(ge=0), up_to(COUNT)]
PositiveCount = Annotated[int, Strict(), Field(ge=1), up_to(COUNT)]
DeviceCount = Annotated[int, Strict(), Field(ge=1, json_schema_extra={"maximum": DEVICES.most}), up_to(DEVICES)]
FleetCount = Annotated[
    int, Strict(), Field(ge=1, json_schema_extra={"maximum": FLEET_DEVICES.most}), up_to(FLEET_DEVICES)
]
"""Of devices that need not speak their protocol."""
ImageSize = Annotated[Size, up_to(IMAGE_BYTES)]
"""Of a file that is made for a run."""
Number = Annotated[float, Strict()]
"""With a fraction or without; never true or false, nor text."""
Flag = Annotated[bool, Strict()]
Whole = Annotated[int, Strict()]
Glob = Annotated[str, Field(min_length=1, examples=["HB-*"]), up_to(PATTERN_CHARS)]
"""Matched whole and with case: `*` any text, `?` one character, `[ab]` one of these."""


Cite = Annotated[str, written_as(r"[\w./-]+#[\w.§-]+", f"a row of a contract, such as {next(iter(PLATFORMS))}#S41")]
Word = Annotated[str, written_as(r"[a-z0-9][a-z0-9_.-]*", "a word of small letters, digits and _ . -")]
Name = Annotated[str, written_as(r"[A-Za-z_][A-Za-z0-9_]*", "a name of letters, digits and _")]
"""What `${name}` can name."""


class Times(Model):
    """How often: a number for exactly so often, or one or both bounds."""

    at_least: Count = 0
    """So often or oftener."""
    at_most: Count | None = None
    """Not oftener."""

    @model_validator(mode="after")
    def _some_range(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("expected a number, or a mapping with at_least, at_most or both")
        if self.at_least == 0 and self.at_most is None:
            raise ValueError("at_least: 0 always holds: give a higher number, or at_most")
        if self.at_most is not None and self.at_most < self.at_least:
            raise ValueError(f"at_most ({self.at_most}) is less than at_least ({self.at_least})")
        return self

    def allows(self, count: int) -> bool:
        return self.at_least <= count and (self.at_most is None or count <= self.at_most)

    def __str__(self) -> str:
        if self.at_most is None:
            return f"at least {self.at_least}"
        if self.at_least == self.at_most:
            return f"exactly {self.at_least}"
        return f"{self.at_least} to {self.at_most}" if self.at_least else f"at most {self.at_most}"


def _exactly(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return {"at_least": value, "at_most": value}
    if not isinstance(value, Mapping | Times):
        raise ValueError("expected a number, or a mapping with at_least, at_most or both")
    return value


HowOften = Annotated[Times, BeforeValidator(_exactly, json_schema_input_type=Count | Times)]
AT_LEAST_ONCE: Final = Times(at_least=1)


def readable_size(size_bytes: int) -> str:
    """`256 KiB`, exact."""
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size_bytes and size_bytes % factor == 0:
            return f"{size_bytes // factor} {unit}"
    return f"{size_bytes} bytes"
