"""Values of telemetry and attributes: what becomes a number, what stays text, what is none (S102)."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.platforms.thingsboard.device_api.said import asked_keys
from fleetrig.reference_server.platforms.thingsboard.device_api.values import (
    BadValue,
    Measured,
    read_telemetry,
    read_values,
)
from fleetrig.reference_server.platforms.thingsboard.provisioning.lenient_json import JsonNumber
from fleetrig.simulator.contract.json_types import Json


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("1.0", 1.0),
        ("007", 7),
        ("-5", -5),
        (".5", 0.5),
        ("1.0b", "1.0b"),
        ("1e3", "1e3"),
        ("+5", "+5"),
        ("5.", "5."),
        ("", ""),
        ("true", "true"),
        (True, True),
        (5, 5),
        (0.25, 0.25),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", "9223372036854775808"),
        ("0.12345678901234567", "0.12345678901234567"),
        ({"a": "1"}, {"a": "1"}),
        ([1, "2"], [1, "2"]),
        (JsonNumber("2e3"), 2000),
        (JsonNumber("2.0"), 2.0),
        (JsonNumber("12"), 12),
        ({"a": [JsonNumber("1"), JsonNumber("0.5")]}, {"a": [1, 0.5]}),
        ([JsonNumber("1e999")], ["1e999"]),
    ],
)
def test_text_that_looks_like_a_number_is_one(sent: Json, kept: Json) -> None:
    value = read_values({"k": sent})["k"]
    assert (value, type(value)) == (kept, type(kept))


def test_a_member_that_is_null_is_left_out() -> None:
    assert read_values({"a": None, "b": 1}) == {"b": 1}


@pytest.mark.parametrize(
    ("document", "measured"),
    [
        ({"a": 1}, [Measured({"a": 1})]),
        ({"ts": 5, "values": {"a": 1}}, [Measured({"a": 1}, 5)]),
        ({"ts": 5}, [Measured({"ts": 5})]),
        ([{"a": 1}, {"ts": "5", "values": {}}], [Measured({"a": 1}), Measured({}, 5)]),
        ([], []),
    ],
)
def test_telemetry_comes_with_its_time_or_without(document: Json, measured: list[Measured]) -> None:
    assert read_telemetry(document) == measured


@pytest.mark.parametrize("number", ["1e999999999", "-1e-999999999", "1e99999999999999999999"])
def test_a_number_that_would_fill_the_memory_is_none(number: str) -> None:
    with pytest.raises(BadValue):
        read_values({"a": JsonNumber(number)})
    with pytest.raises(BadValue):
        read_telemetry({"ts": JsonNumber(number), "values": {}})


@pytest.mark.parametrize("document", [None, 1, "a", [1], [[{}]], {"ts": {}, "values": {}}, {"ts": 1, "values": 2}])
def test_what_is_no_telemetry(document: Json) -> None:
    with pytest.raises(BadValue):
        read_telemetry(document)


def test_keys_of_attributes_are_separated_by_commas() -> None:
    assert asked_keys({"clientKeys": "a,b,a"}, "clientKeys") == ["a", "b"]
    assert asked_keys({"clientKeys": "a"}, "sharedKeys") == []
    with pytest.raises(BadValue):
        asked_keys([], "clientKeys")
