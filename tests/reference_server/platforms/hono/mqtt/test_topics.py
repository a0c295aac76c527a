"""Topics as the real server reads them: Java's way to split, and the property bag."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetrig.reference_server.platforms.hono.mqtt.topics import (
    PublishedTopic,
    TopicEndpoint,
    read_topic,
    segments_of,
)


@pytest.mark.parametrize(
    ("topic", "segments"),
    [
        ("telemetry", ("telemetry",)),
        ("t/", ("t",)),
        ("t///", ("t",)),
        ("t//dev", ("t", "", "dev")),
        ("event/T/dev/x", ("event", "T", "dev", "x")),
        ("command///res/id/200", ("command", "", "", "res", "id", "200")),
        ("", ()),
        ("/", ()),
        ("/telemetry", ()),
        ("///", ()),
    ],
)
def test_segments_are_those_of_java(topic: str, segments: tuple[str, ...]) -> None:
    assert segments_of(topic) == segments


@pytest.mark.parametrize(
    ("topic", "endpoint"),
    [
        ("t", TopicEndpoint.TELEMETRY),
        ("telemetry/T/d", TopicEndpoint.TELEMETRY),
        ("e", TopicEndpoint.EVENT),
        ("event", TopicEndpoint.EVENT),
        ("c///s/1/200", TopicEndpoint.COMMAND),
        ("command_response", TopicEndpoint.UNKNOWN),
        ("Telemetry", TopicEndpoint.UNKNOWN),
        ("error", TopicEndpoint.UNKNOWN),
    ],
)
def test_the_first_segment_says_what_it_is(topic: str, endpoint: TopicEndpoint) -> None:
    read = read_topic(topic)
    assert read is not None
    assert read.endpoint is endpoint


@pytest.mark.parametrize(
    ("bag", "properties"),
    [
        ("content-type=application%2Fjson", {"content-type": "application/json"}),
        ("Content-Type=a&ON-ERROR=ignore", {"content-type": "a", "on-error": "ignore"}),
        ("a=1;b=2&a=3", {"a": "1", "b": "2"}),
        ("a+b=c+d%2B", {"a b": "c d+"}),
        ("a&b=&&=x", {"a": "", "b": "", "x": ""}),
        ("", {}),
        ("a=b=c", {"a": "b=c"}),
    ],
)
def test_the_property_bag_is_a_query_string(bag: str, properties: dict[str, str]) -> None:
    assert read_topic(f"telemetry/?{bag}") == PublishedTopic(("telemetry",), properties)
    assert read_topic(f"event/T/dev/?{bag}") == PublishedTopic(("event", "T", "dev"), properties)


def test_the_last_bag_counts() -> None:
    assert read_topic("t/?a=1/?b=2") == PublishedTopic(("t", "?a=1"), {"b": "2"})


@pytest.mark.parametrize("topic", ["t/?a=%", "t/?a=%4", "t/?a=%zz", "/?a=b", "/t/?a=b", "", "/"])
def test_what_is_malformed_is_no_topic(topic: str) -> None:
    assert read_topic(topic) is None


@pytest.mark.parametrize(
    ("ttl", "ttl_s"), [("10", 10), ("+3", 3), ("0", 0), ("-1", None), ("1.5", None), ("x", None), ("9" * 30, None)]
)
def test_a_time_to_live_is_a_whole_number_of_seconds(ttl: str, ttl_s: int | None) -> None:
    read = read_topic(f"event/?hono-ttl={ttl.replace('+', '%2B')}")
    assert read is not None
    assert read.ttl_s == ttl_s


@given(st.text(max_size=60))
def test_any_text_is_read_or_is_none(text: str) -> None:
    read = read_topic(text)
    if read is not None:
        assert read.segments[0] != ""
        assert read.segments[-1] != ""
        assert read.segment(99) == ""
