"""Targets that come into being by themselves, and what a poll does to a target (§3.4, §2.1, §4)."""

from __future__ import annotations

import re

import pytest

from fleetrig.reference_server.platforms.hawkbit.state.settings import Settings
from tests.reference_server.platforms.hawkbit.rig import Rig, document, error_code, sleep_of, status

AUDIT = ("createdBy", "createdAt", "lastModifiedBy", "lastModifiedAt")


def test_an_auto_created_target_has_these_fields(rig: Rig) -> None:
    rig.gateway_on()
    answer = rig.poll("dev-1", headers={"X-Forwarded-For": "203.0.113.9, 10.0.0.1"})
    assert answer.changed == "target created"
    target = rig.read("/targets/dev-1")
    assert re.fullmatch("[0-9a-f]{32}", target["securityToken"])
    now_ms = rig.now_us // 1000
    expected = {
        "controllerId": "dev-1",
        "name": "dev-1",
        "description": "Plug and Play target: dev-1",
        "updateStatus": "registered",
        "requestAttributes": True,
        "address": "http://203.0.113.9",
        "ipAddress": "203.0.113.9",
        "createdBy": "CONTROLLER_PLUG_AND_PLAY",
        "lastModifiedBy": "CONTROLLER_PLUG_AND_PLAY",
        "createdAt": now_ms,
        "lastControllerRequestAt": now_ms,
    }
    assert expected.items() <= target.items()


def test_polling_again_changes_nothing_but_the_time(rig: Rig) -> None:
    """S47."""
    rig.gateway_on()
    rig.poll("dev")
    before = rig.read("/targets/dev")
    rig.let_pass(10)
    assert rig.poll("dev").changed == ""
    after = rig.read("/targets/dev")
    assert after["lastControllerRequestAt"] == before["lastControllerRequestAt"] + 10_000
    for moving in ("lastControllerRequestAt", "pollStatus"):
        del before[moving], after[moving]
    assert after == before
    assert rig.read("/targets")["total"] == 1


@pytest.mark.parametrize(
    ("controller_id", "message"),
    [
        ("a%20b", "controllerId has whitespaces which are not allowed."),
        ("x" * 129, "name size must be between 1 and 128."),
        ("x" * 257, "controllerId size must be between 1 and 256. name size must be between 1 and 128."),
    ],
)
def test_an_impossible_id_is_refused_and_nothing_created(rig: Rig, controller_id: str, message: str) -> None:
    """S50, S122, S124."""
    rig.gateway_on()
    answer = rig.poll(controller_id)
    assert (status(answer), document(answer)["message"]) == (400, message)
    assert rig.read("/targets")["total"] == 0


@pytest.mark.parametrize("controller_id", ["x" * 128, "a%3Cb%3Ex", "a:b@c", "%C3%A4"])
def test_odd_but_possible_ids_are_created(rig: Rig, controller_id: str) -> None:
    rig.gateway_on()
    assert status(rig.poll(controller_id)) == 200
    assert status(rig.mgmt("GET", f"/targets/{controller_id}")) == 200


def test_after_deletion_the_gateway_gets_a_new_target(rig: Rig) -> None:
    """S57."""
    rig.gateway_on()
    rig.poll("dev")
    token = rig.read("/targets/dev")["securityToken"]
    rig.put_attributes("dev", "", {"a": "b"})
    assert status(rig.mgmt("DELETE", "/targets/dev")) == 204
    assert "configData" in document(rig.poll("dev"))["_links"]
    assert rig.read("/targets/dev")["securityToken"] != token
    assert status(rig.mgmt("GET", "/targets/dev/attributes")) == 204


def test_a_first_poll_registers_a_target_made_by_an_operator(rig: Rig) -> None:
    """S40, S86: the audit fields stay the operator's."""
    rig.target_tokens_on()
    created = rig.create("dev")
    rig.let_pass(5)
    assert rig.poll("dev", created["securityToken"]).changed == "target registered"
    rig.put_attributes("dev", created["securityToken"], {"a": "b"})
    target = rig.read("/targets/dev")
    assert target["updateStatus"] == "registered"
    assert [target[name] for name in AUDIT] == [created[name] for name in AUDIT]


def test_attributes_are_asked_for_until_they_came(rig: Rig) -> None:
    """S70, S71, S19."""
    rig.gateway_on()
    assert set(document(rig.poll("dev"))["_links"]) == {"configData"}
    rig.put_attributes("dev", "", {"a": "b"})
    assert "_links" not in document(rig.poll("dev"))
    rig.mgmt("PUT", "/targets/dev", {"requestAttributes": True})
    assert set(document(rig.poll("dev"))["_links"]) == {"configData"}


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.9", "http://203.0.113.9"),
        ("203.0.113.9:4711, 10.0.0.1", "http://203.0.113.9"),
        ("unknown, 203.0.113.9", "http://203.0.113.9"),
        ("2001:db8:0:0:0:0:0:1", "http://[2001:db8:0:0:0:0:0:1]"),
        ("[2001:db8:0:0:0:0:0:1]:80", "http://[2001:db8:0:0:0:0:0:1]"),
        ("2001:db8::1", "http://127.0.0.1"),
        ("", "http://127.0.0.1"),
        ("unknown", "http://127.0.0.1"),
    ],
)
def test_the_address_is_the_first_in_the_forwarding_header(rig: Rig, forwarded: str, address: str) -> None:
    rig.gateway_on()
    rig.poll("dev", headers={"X-Forwarded-For": forwarded})
    assert rig.read("/targets/dev")["address"] == address


def test_addresses_can_be_kept_secret() -> None:
    rig = Rig(Settings(track_remote_ip=False))
    rig.gateway_on()
    rig.poll("dev")
    target = rig.read("/targets/dev")
    assert target["address"] == "http://***"
    assert "ipAddress" not in target


def test_overrides_by_group_and_the_first_match_wins(rig: Rig) -> None:
    """S77."""
    rig.target_tokens_on()
    rig.configure(pollingTime="00:02:00, group == 'Europe' -> 00:05:05, name == dev* -> 00:01:00")
    for name, group in (("dev-1", "Europe"), ("dev-2", "Asia"), ("other", "Asia")):
        rig.create(name, group=group, securityToken="t")
    assert [sleep_of(rig.poll(name, "t")) for name in ("dev-1", "dev-2", "other")] == [
        "00:05:05",
        "00:01:00",
        "00:02:00",
    ]


def test_overrides_by_an_attribute(rig: Rig) -> None:
    rig.target_tokens_on()
    rig.create("dev", securityToken="t")
    rig.configure(pollingTime="00:02:00, attribute.hw == 2 -> 00:01:00")
    assert sleep_of(rig.poll("dev", "t")) == "00:02:00"
    rig.put_attributes("dev", "t", {"hw": "2"})
    assert sleep_of(rig.poll("dev", "t")) == "00:01:00"


def test_overdue_counts_from_interval_deviation_and_grace(rig: Rig) -> None:
    """S79, and the override that the target matches."""
    rig.gateway_on()
    rig.configure(pollingTime="00:05:00, name==dev -> 00:01:00~10%", pollingOverdueTime="00:00:05")
    rig.poll("dev")
    last_ms = rig.now_us // 1000
    assert rig.read("/targets/dev")["pollStatus"] == {
        "lastRequestAt": last_ms, "nextExpectedRequestAt": last_ms + 66_000, "overdue": False}  # fmt: skip
    rig.let_pass(71)
    assert rig.read("/targets/dev")["pollStatus"]["overdue"] is False
    rig.let_pass(0.002)
    assert rig.read("/targets/dev")["pollStatus"]["overdue"] is True
    assert rig.read("/targets/dev")["updateStatus"] == "registered"


def test_an_unmodified_poll_still_counts_as_a_poll(rig: Rig) -> None:
    """S72."""
    rig.gateway_on()
    etag = rig.poll("dev").response.header("ETag")
    assert etag is not None
    rig.let_pass(8)
    answer = rig.poll("dev", headers={"If-None-Match": etag})
    assert (status(answer), answer.response.body) == (304, b"")
    assert rig.read("/targets/dev")["lastControllerRequestAt"] == rig.now_us // 1000


def test_a_refused_request_leaves_nothing_behind(rig: Rig) -> None:
    rig.gateway_on()
    answer = rig.put_attributes("dev", "", {"a": "b"})
    assert error_code(answer) == "repo.entityNotFound"
    assert answer.rollback
