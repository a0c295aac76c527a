"""Topics of the namespace: what a control topic says, and who may be called how."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.platforms.kura.broker.topics import (
    REQUESTER,
    Lifecycle,
    client_id_flaw,
    control_topic,
)


@pytest.mark.parametrize(
    ("topic", "lifecycle"),
    [
        ("$EDC/acct/gw-1/MQTT/BIRTH", Lifecycle.BIRTH),
        ("$EDC/acct/gw-1/MQTT/DC", Lifecycle.DC),
        ("$EDC/acct/gw-1/MQTT/APPS", Lifecycle.APPS),
        ("$EDC/acct/gw-1/MQTT/LWT", Lifecycle.LWT),
        ("$EDC/acct/gw-1/MQTT/x/BIRTH", Lifecycle.BIRTH),
        ("$EDC/acct/gw-1/MQTT", None),
        ("$EDC/acct/gw-1/MQTT/birth", None),
        ("$EDC/acct/gw-1/APP/BIRTH", None),
    ],
)
def test_the_last_level_says_what_a_lifecycle_message_is(topic: str, lifecycle: Lifecycle | None) -> None:
    found = control_topic(topic)
    assert found is not None
    assert found.lifecycle is lifecycle


@pytest.mark.parametrize("topic", ["acct/gw-1/MQTT/BIRTH", "$EDC", "$EDC/acct/gw-1", "$edc/acct/gw-1/MQTT/BIRTH", ""])
def test_all_else_is_no_control_topic(topic: str) -> None:
    assert control_topic(topic) is None


def test_a_reply_names_its_requester_and_its_request() -> None:
    found = control_topic("$EDC/acct/SRV-1/CONF-V1/REPLY/42")
    assert found is not None
    assert (found.client_id, found.app_id, found.is_reply, found.levels[1]) == ("SRV-1", "CONF-V1", True, "42")
    assert found.application_topic == "CONF-V1/REPLY/42"


@pytest.mark.parametrize("client_id", ["a/b", "a::b", "+", "gw+1", "#", REQUESTER])
def test_nobody_is_called_what_would_widen_rights(client_id: str) -> None:
    assert client_id_flaw(client_id)


@pytest.mark.parametrize("client_id", ["gw-1", "AA:BB:CC:DD:EE:FF", "00600CAABBCC", "a b", "ä"])
def test_macs_with_and_without_colons_are_client_ids(client_id: str) -> None:
    assert client_id_flaw(client_id) == ""
