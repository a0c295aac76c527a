"""Rights on topics, as Kapua's own rule builder gives them (golden/kura/kapua-acl.jsonl), and what they come to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fleetrig.reference_server.platforms.kura.broker.access_rules import (
    PLAIN,
    AccessList,
    AccessRule,
    BrokerRights,
    rules_of,
)

RECORDED = Path(__file__).parents[4] / "golden/kura/kapua-acl.jsonl"
RIGHTS = {
    "plain device user (broker connect only)": PLAIN,
    "with device management permission": BrokerRights(manages_devices=True),
    "with data management permission": BrokerRights(manages_data=True),
    "administrator": BrokerRights(is_admin=True),
}


def recorded() -> list[dict[str, Any]]:
    return [json.loads(line) for line in RECORDED.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("case", recorded(), ids=lambda case: case["name"])
def test_the_real_builder_gives_the_same_rules(case: dict[str, Any]) -> None:
    expected = [AccessRule(one["topic"], one["read"], one["write"], one["create"]) for one in case["acl"]]
    assert list(rules_of(RIGHTS[case["name"]], case["account"], case["client_id"])) == expected


def test_every_recorded_user_is_judged() -> None:
    assert {case["name"] for case in recorded()} == set(RIGHTS)


@pytest.mark.parametrize(
    ("topic", "may"),
    [
        ("$EDC/acct/gw-1/MQTT/BIRTH", True),
        ("acct/gw-1/APP/t", True),
        ("acct/gw-1", True),
        ("$EDC/acct/SRV-1/CONF-V1/REPLY/42", True),
        ("$EDC/acct/SRV-1/DEPLOY-V2/NOTIFY/gw-1/download", True),
        ("$EDC/acct/SRV-1/DEPLOY-V2/NOTIFY/gw-2/download", False),
        ("$EDC/acct/gw-2/CONF-V1/PUT/configurations", False),
        ("$EDC/other/SRV-1/CONF-V1/REPLY/42", False),
        ("acct/gw-2/APP/t", False),
        ("other/gw-1/APP/t", False),
        ("$SYS/x", False),
    ],
)
def test_a_plain_device_writes_what_is_its_own_and_replies(topic: str, may: bool) -> None:
    assert AccessList(rules_of(PLAIN, "acct", "gw-1")).may_write(topic) is may


@pytest.mark.parametrize(
    ("topic_filter", "may"),
    [
        ("$EDC/acct/gw-1/#", True),
        ("$EDC/acct/gw-1/+/REPLY/#", True),
        ("acct/gw-1/#", True),
        ("$EDC/acct/#", False),
        ("$EDC/acct/+/#", False),
        ("$EDC/acct/+/CONF-V1/REPLY/#", False),
        ("$EDC/+/gw-1/#", False),
        ("acct/+/x", False),
        ("#", False),
        ("$EDC/#", False),
        ("+/gw-1/#", False),
        ("acct", False),
    ],
)
def test_a_plain_device_hears_what_is_its_own(topic_filter: str, may: bool) -> None:
    assert AccessList(rules_of(PLAIN, "acct", "gw-1")).may_subscribe(topic_filter) is may


def test_an_administrator_hears_all_but_asks_for_control_by_its_name() -> None:
    of_all, of_data = AccessList(rules_of(BrokerRights(is_admin=True), "a", "c")), AccessList([AccessRule("#")])
    assert of_all.may_subscribe("#")
    assert of_all.may_subscribe("$EDC/+/x")
    assert of_all.may_write("$EDC/acct/gw-1/CONF-V1/GET/configurations")
    assert not of_data.may_subscribe("$EDC/#")
    assert not of_data.may_write("$EDC/acct/gw-1/MQTT/BIRTH")


def test_who_views_data_reads_all_and_writes_its_own() -> None:
    viewer = AccessList(rules_of(BrokerRights(views_data=True), "acct", "gw-1"))
    assert viewer.may_subscribe("acct/#")
    assert viewer.may_write("acct/gw-1/APP/t")
    assert not viewer.may_write("acct/gw-2/APP/t")
    assert not viewer.may_subscribe("$EDC/acct/#")
