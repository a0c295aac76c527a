"""A study file: which scenario, with which values of its params, and what must hold.

It is called `NAME.study.yaml`, so that it can stand beside the scenario that it is about.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Self

from pydantic import Field, PlainSerializer, PlainValidator, Strict, WithJsonSchema, model_validator

from fleetrig.harness.report.spoken import spoken_s
from fleetrig.harness.scenario_file.threshold_words import Allowance, allowance
from fleetrig.harness.scenario_file.values import Duration, Model, Name, Text, written_as
from fleetrig.simulator.contract.bounds import REPEATS
from fleetrig.simulator.contract.errors import UsageError

TIMES: Final = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)x", re.ASCII)
"""`1.5x`: so many times the steady request rate of the fleet."""
LABEL_CHARS: Final = 40
NOUNS: Final = {"rejected": "rejections", "late": "late answers", "errors": "errors"}


def times_steady(value: Any) -> float:
    """`3x` to 3. Raises ValueError."""
    found = TIMES.fullmatch(value) if isinstance(value, str) else None
    if found is None or float(found[1]) == 0:
        raise ValueError("expected so many times the steady rate, such as 1.5x")
    return float(found[1])


TimesSteady = Annotated[
    float,
    PlainValidator(times_steady),
    PlainSerializer(lambda value: f"{value:g}x", when_used="json"),
    WithJsonSchema({"type": "string", "pattern": f"^{TIMES.pattern}$", "examples": ["1.5x", "3x"]}),
]


def share(value: Any) -> Allowance:
    """`1%`, or 0 for none at all. Raises ValueError."""
    allowed = allowance(value)
    if allowed.count:
        raise ValueError("expected a share such as 1%, or 0 for none: fleets of any size are judged by it")
    return allowed


Share = Annotated[
    Allowance,
    PlainValidator(share),
    PlainSerializer(lambda value: value.count if value.share is None else str(value), when_used="json"),
    WithJsonSchema({"anyOf": [{"const": 0}, {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*%$"}]}),
]


def _axis_values(value: Any) -> tuple[bool | int | float | str, ...] | Mapping[str, Mapping[str, Any]]:
    if isinstance(value, Mapping):
        return _variants(value)
    if not isinstance(value, list | tuple) or not value:
        raise ValueError("expected a list of values, or names with the params that each sets")
    if any(isinstance(one, dict | list) or one is None for one in value):
        raise ValueError("expected single values in the list; names with params stand in a mapping")
    if len({str(one) for one in value}) < len(value):
        raise ValueError("expected values that differ from each other")
    return tuple(value)


def _variants(value: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    if not value:
        raise ValueError("expected at least one name with the params that it sets")
    for name, params in value.items():
        if not isinstance(params, Mapping) or not params:
            raise ValueError(
                f"{name[:LABEL_CHARS]!r}: expected the params that it sets, such as {{policy: full_jitter}}"
            )
        if len(name) > LABEL_CHARS or not name.isprintable():
            raise ValueError(f"{name[:LABEL_CHARS]!r}: expected a name of at most {LABEL_CHARS} characters")
    return dict(value)


SweptValues = Annotated[
    tuple[bool | int | float | str, ...] | Mapping[str, Mapping[str, Any]],
    PlainValidator(_axis_values),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": {"type": ["string", "number", "boolean"]}, "minItems": 1},
                {"type": "object", "additionalProperties": {"type": "object", "minProperties": 1}, "minProperties": 1},
            ]
        }
    ),
]


class StudyLimit(Model):
    """What must hold of each run, from the moment at which the last fault is over until the end."""

    rejected: Share | None = None
    """Of the requests, how many the server turns away."""
    late: Share | None = None
    """Of the requests, how many it answers only when the device has given up."""
    errors: Share | None = None
    """Of the requests, how many get no answer that is of use, for whatever reason."""
    quiet_within_s: Duration | None = Field(None, alias="quiet_within")
    """The last request that fails comes no later."""
    back_within_s: Duration | None = Field(None, alias="back_within")
    """99 of 100 devices are online by then, and stay so."""
    peak: TimesSteady | None = None
    """The busiest second has at most so many requests."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError(f"it is empty: expected one or more of {', '.join(self.words())}")
        return self

    @classmethod
    def words(cls) -> tuple[str, ...]:
        return tuple(field.alias or name for name, field in cls.model_fields.items())

    def __str__(self) -> str:
        """`rejected at most 1%, none late, quiet within 10 min`."""
        shares = self.shares().items()
        parts = [f"{word} at most {allowed}" if allowed.share else f"no {NOUNS[word]}" for word, allowed in shares]
        parts += [f"{word} within {spoken_s(seconds)}" for word, seconds in self.spans_s().items()]
        if self.peak is not None:
            parts.append(f"peak at most {self.peak:g} times the steady rate")
        return ", ".join(parts)

    def shares(self) -> dict[str, Allowance]:
        found = {"rejected": self.rejected, "late": self.late, "errors": self.errors}
        return {word: allowed for word, allowed in found.items() if allowed is not None}

    def spans_s(self) -> dict[str, float]:
        found = {"quiet": self.quiet_within_s, "back": self.back_within_s}
        return {word: seconds for word, seconds in found.items() if seconds is not None}


class StudyFile(Model):
    """A `NAME.study.yaml`."""

    title: Annotated[str, Field(min_length=1, max_length=200, alias="study"), written_as(r"[^\n]*", "one line")]
    """The question, in one sentence."""
    scenario: Text
    """The scenario that runs with each combination of values: an ID, or a file."""
    params: Mapping[Name, Any] = {}
    """Values for its params that are the same in every run. `1.5x` for a number: times the steady rate of the fleet."""
    sweep: Annotated[Mapping[Name, SweptValues], Field(min_length=1)]
    """Params with a list of values each; or a name of your own, with names that each set several params. Every
    combination is a run."""
    columns: Name | None = None
    """Which of them the table has side by side; the others are its rows.  [default: the one that sets the capacity]"""
    seeds: Annotated[int, Strict(), Field(ge=1, le=REPEATS.most)] = 1
    """Each combination runs so often, with other draws: figures are means then, with their 95 % intervals."""
    limit: StudyLimit
    """What must hold for a combination to be good."""

    @model_validator(mode="after")
    def _columns_are_swept(self) -> Self:
        if self.columns is not None and self.columns not in self.sweep:
            raise ValueError(f"columns: {self.columns!r} is not swept; expected one of {', '.join(self.sweep)}")
        return self

    def otherwise(self, params: Mapping[str, Any], seeds: int | None) -> StudyFile:
        """With other values for params, and another number of seeds. Raises UsageError for a param that is swept."""
        for axis, values in self.sweep.items():
            swept = {axis} if not isinstance(values, Mapping) else {name for one in values.values() for name in one}
            if found := sorted(swept & params.keys()):
                raise UsageError(f"--set {found[0]}: this study sweeps it (sweep.{axis}); write another study for that")
        return self.model_copy(
            update={"params": {**self.params, **params}, "seeds": self.seeds if seeds is None else seeds}
        )

    def label_of(self, axis: str, index: int) -> str:
        """How a value is called in tables."""
        values = self.sweep[axis]
        if isinstance(values, Mapping):
            return list(values)[index]
        value = values[index]
        return str(value).lower() if isinstance(value, bool) else str(value)

    def params_at(self, axis: str, index: int) -> Mapping[str, Any]:
        """What a value of an axis sets."""
        values = self.sweep[axis]
        return list(values.values())[index] if isinstance(values, Mapping) else {axis: values[index]}
