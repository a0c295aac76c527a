"""What may be subscribed to, and the topics that follow from the spelling of a filter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetrig.reference_server.platforms.hono.commands.device_command import DeviceCommand
from fleetrig.reference_server.platforms.hono.mqtt.subscriptions import (
    AdapterSubscription,
    SubscriptionKind,
    read_filter,
)

TENANT, GATEWAY = "acme", "gw-1"
COMMANDS, ERRORS = SubscriptionKind.COMMANDS, SubscriptionKind.ERRORS


def wanted(topic_filter: str) -> AdapterSubscription:
    found = read_filter(topic_filter, 0, TENANT, GATEWAY)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("topic_filter", "key"),
    [
        ("command///req/#", (COMMANDS, GATEWAY)),
        ("c///q/#", (COMMANDS, GATEWAY)),
        ("command/acme//q/#", (COMMANDS, GATEWAY)),
        ("c/acme/gw-1/req/#", (COMMANDS, GATEWAY)),
        ("c//dev-7/q/#", (COMMANDS, "dev-7")),
        ("c//+/q/#", (COMMANDS, GATEWAY)),
        ("error///#", (ERRORS, GATEWAY)),
        ("e/acme/dev-7/#", (ERRORS, "dev-7")),
        ("e//+/#", (ERRORS, GATEWAY)),
    ],
)
def test_filters_that_are_offered(topic_filter: str, key: tuple[SubscriptionKind, str]) -> None:
    assert wanted(topic_filter).key == key


@pytest.mark.parametrize(
    "topic_filter",
    [
        "#",
        "+",
        "",
        "telemetry",
        "command/#",
        "command///req",
        "command///req/+",
        "command///res/#",
        "command///req/a/#",
        "/command///req/#",
        "commands///req/#",
        "c/other//q/#",
        "c/+//q/#",
        "error/#",
        "error////#",
        "error///x",
        "e/other//#",
        "event///#",
        "$share/g/error///#",
    ],
)
def test_filters_that_are_not(topic_filter: str) -> None:
    assert read_filter(topic_filter, 0, TENANT, GATEWAY) is None


@pytest.mark.parametrize(
    ("topic_filter", "command", "topic"),
    [
        ("command///req/#", DeviceCommand(TENANT, GATEWAY, "on"), "command///req//on"),
        ("c///q/#", DeviceCommand(TENANT, GATEWAY, "on", correlation_id="abc"), "c///q/203abc/on"),
        ("c/acme//q/#", DeviceCommand(TENANT, GATEWAY, "on"), "c/acme//q//on"),
        ("c//gw-1/q/#", DeviceCommand(TENANT, GATEWAY, "on"), "c//gw-1/q//on"),
        ("c//+/q/#", DeviceCommand(TENANT, GATEWAY, "on"), "c///q//on"),
        ("c//+/q/#", DeviceCommand(TENANT, "dev-7", "on", gateway_id=GATEWAY), "c//dev-7/q//on"),
        ("c//dev-7/q/#", DeviceCommand(TENANT, "dev-7", "on", gateway_id=GATEWAY), "c//dev-7/q//on"),
    ],
)
def test_topics_of_commands(topic_filter: str, command: DeviceCommand, topic: str) -> None:
    assert wanted(topic_filter).command_topic(command) == topic


@pytest.mark.parametrize(
    ("topic_filter", "published_to", "device_id", "correlation_id", "topic"),
    [
        ("error///#", "nosuch", GATEWAY, "2", "error///unknown/2/404"),
        ("error///#", "telemetry", GATEWAY, "", "error///telemetry/-1/404"),
        ("e///#", "t", GATEWAY, "x", "e///t/x/404"),
        ("e/acme//#", "e", GATEWAY, "x", "e/acme//e/x/404"),
        ("e//gw-1/#", "event", GATEWAY, "x", "e//gw-1/event/x/404"),
        ("e///#", "command", GATEWAY, "x", "e///command-response/x/404"),
        ("e///#", "c", "dev-7", "x", "e//dev-7/c-s/x/404"),
        ("e//dev-7/#", "t", "dev-7", "x", "e//dev-7/t/x/404"),
        ("e//+/#", "t", GATEWAY, "x", "e///t/x/404"),
        ("e///#", "", "", "x", "e///unknown/x/404"),
    ],
)
def test_topics_of_errors(
    topic_filter: str, published_to: str, device_id: str, correlation_id: str, topic: str
) -> None:
    assert wanted(topic_filter).error_topic(published_to, device_id, correlation_id, 404) == topic


@given(st.text(max_size=40), st.integers(0, 2))
def test_any_filter_is_read_or_refused(text: str, qos: int) -> None:
    found = read_filter(text, qos, TENANT, GATEWAY)
    assert found is None or found.device_id
