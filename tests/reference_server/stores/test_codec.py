"""Records as JSON and back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum, StrEnum
from typing import Any, Literal

import pytest

from fleetrig.reference_server.stores.codec import Codec, codec_for
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.json_types import Json


class Status(StrEnum):
    PENDING = "pending"


class Level(IntEnum):
    HIGH = 2


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Step:
    text: str
    at: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Everything:
    text: str = 'ä\u2028\x00\ud800\U0001f600"\\'
    number: int = 10**30
    real: float = 0.1
    infinite: float = math.inf
    flag: bool = True
    nothing: None = None
    maybe: str | None = None
    status: Status = Status.PENDING
    level: Level | None = Level.HIGH
    colour: Colour = Colour.RED
    word: Literal["a", "b"] = "a"
    names: tuple[str, ...] = ("a", "b")
    pair: tuple[str, tuple[int, ...]] = ("a", (1, 2))
    none: tuple[str, ...] | None = None
    some: tuple[int, ...] | str | None = (1,)
    steps: tuple[Step, ...] = (Step("a", (1,)), Step("b"))
    first: Step | None = Step("c", (2, 3))
    by_name: dict[str, Step] = field(default_factory=lambda: {"x": Step("d", (4,))})
    by_number: Mapping[int, tuple[str, ...]] = field(default_factory=lambda: {1: ("a",), 20: ()})
    plain: dict[str, Any] = field(default_factory=lambda: {"list": [1, {"a": None}]})
    json: Json = None
    anything: Any = 1.5


def round_trip(record: Any) -> Any:
    codec: Codec[Any] = codec_for(type(record))
    return codec.decode(codec.encode(record))


def test_every_kind_of_field_comes_back_as_it_was():
    record = Everything()
    restored = round_trip(record)
    assert restored == record
    assert type(restored.status) is Status
    assert type(restored.level) is Level
    assert type(restored.pair[1]) is tuple
    assert type(restored.steps[0].at) is tuple
    assert list(restored.by_number) == [1, 20]
    assert restored.real == record.real


def test_a_union_goes_by_what_the_json_is():
    assert round_trip(Everything(some="text")).some == "text"
    assert round_trip(Everything(some=None)).some is None
    assert round_trip(Everything(none=())).none == ()


def test_json_of_any_depth_stays_as_it_is():
    value: Json = {"a": [1, [2.5, None, True], {"b": "c"}]}
    assert round_trip(Everything(json=value)).json == value


def test_the_text_is_ascii_json_by_field_name():
    codec = codec_for(Step)
    assert codec.encode(Step("ä", (1, 2))) == '{"text":"\\u00e4","at":[1,2]}'


def test_unknown_fields_are_ignored_and_missing_ones_take_their_default():
    codec = codec_for(Step)
    assert codec.decode('{"text": "a", "gone": [1]}') == Step("a")
    with pytest.raises(TypeError, match="text"):
        codec.decode("{}")


@pytest.mark.parametrize("text", ["", "[]", "1", '{"text": ', '"x"'])
def test_text_that_is_no_record(text: str):
    with pytest.raises((AttributeError, TypeError, ValueError)):
        codec_for(Step).decode(text)


def test_a_value_of_the_wrong_type_is_named():
    with pytest.raises(ModelError, match="Step: not a JSON value: bytes"):
        codec_for(Step).encode(Step(b"raw"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "hint", [bytes, set[str], frozenset, complex, dict[str, bytes], tuple[bytes, ...], bytes | None]
)
def test_a_type_that_is_no_json_value_is_refused(hint: Any):
    record: type[Any] = dataclass(frozen=True)(type("Bad", (), {"__annotations__": {"field": hint}}))
    with pytest.raises(ModelError, match=r"Bad\.field"):
        Codec(record)


@pytest.mark.parametrize("hint", [Step | dict[str, str], Status | str, tuple[int, ...] | tuple[str, ...]])
def test_a_union_that_json_cannot_tell_apart_is_refused(hint: Any):
    record: type[Any] = dataclass(frozen=True)(type("Bad", (), {"__annotations__": {"field": hint}}))
    with pytest.raises(ModelError, match="look the same"):
        Codec(record)


def test_what_is_no_dataclass_is_refused():
    with pytest.raises(ModelError, match="dataclass"):
        codec_for(dict)


def test_decoding_gives_each_record_containers_of_its_own():
    text = json.dumps({"text": "a", "at": [1]})
    assert codec_for(Step).decode(text) == codec_for(Step).decode(text)
