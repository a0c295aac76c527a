"""The tenant's configuration (§1.6, S75, S76, S126, S127)."""

from __future__ import annotations

from typing import Any

import pytest

from fleetrig.reference_server.platforms.hawkbit.state.settings import Account, Profile, Settings
from tests.reference_server.platforms.hawkbit.rig import ORIGIN, Rig, document, error_code, sleep_of, status

READER = Account("reader", "r", ("READ_TENANT_CONFIGURATION",))


def put(rig: Rig, key: str, value: Any) -> Any:
    return rig.mgmt("PUT", f"/system/configs/{key}", {"value": value})


def value(rig: Rig, key: str) -> Any:
    return rig.read(f"/system/configs/{key}")["value"]


def test_a_fresh_tenant_has_the_defaults(rig: Rig) -> None:
    configs = rig.read("/system/configs")
    defaults = {key: entry["value"] for key, entry in configs.items() if key != "default.ds.type"}
    assert defaults == {
        "authentication.targettoken.enabled": False,
        "authentication.gatewaytoken.enabled": False,
        "authentication.gatewaytoken.key": "",
        "authentication.header.enabled": False,
        "authentication.header.authority": "",
        "pollingTime": "00:05:00",
        "pollingOverdueTime": "00:05:00",
        "maintenanceWindowPollCount": 3,
        "repository.actions.autoclose.enabled": False,
        "user.confirmation.flow.enabled": False,
        "rollout.approval.enabled": False,
        "auto.assignment.approval.enabled": False,
        "batch.assignments.enabled": False,
        "implicit.lock.enabled": True,
        "action.cleanup.auto.expiry": -1,
        "action.cleanup.auto.status": "CANCELED,ERROR",
        "action.cleanup.onQuotaHit.percent": 0,
        "action.delete.allowed.statuses": "CANCELED,ERROR,FINISHED",
    }
    assert configs["pollingTime"] == {
        "value": "00:05:00", "global": True,
        "links": [{"rel": "self", "href": f"{ORIGIN}/rest/v1/system/configs/pollingTime"}]}  # fmt: skip


@pytest.mark.parametrize(
    ("key", "given", "stored"),
    [
        ("authentication.targettoken.enabled", "true", True), ("authentication.targettoken.enabled", "Off", False),
        ("authentication.targettoken.enabled", "YES", True), ("maintenanceWindowPollCount", "4", 4),
        ("maintenanceWindowPollCount", 5.9, 5), ("pollingTime", 300, "300"), ("pollingTime", "PT2M", "PT2M"),
        ("pollingOverdueTime", "00:00:00", "00:00:00"), ("authentication.gatewaytoken.key", 5, "5"),
        ("action.cleanup.auto.expiry", 2**40, 2**40), ("action.cleanup.auto.status", True, "true"),
    ],
)  # fmt: skip
def test_values_are_converted_if_they_can_be(rig: Rig, key: str, given: Any, stored: Any) -> None:
    assert status(put(rig, key, given)) == 204
    assert value(rig, key) == stored
    assert type(value(rig, key)) is type(stored)


CANNOT = (
    "Cannot convert the value {} of type class java.{} to the type class java.lang.{} defined by the configuration key."
)


@pytest.mark.parametrize(
    ("key", "given", "message"),
    [
        ("authentication.targettoken.enabled", "maybe", CANNOT.format("maybe", "lang.String", "Boolean")),
        ("authentication.targettoken.enabled", 1, CANNOT.format("1", "lang.Integer", "Boolean")),
        ("authentication.targettoken.enabled", 2**40, CANNOT.format(2**40, "lang.Long", "Boolean")),
        ("maintenanceWindowPollCount", "abc", CANNOT.format("abc", "lang.String", "Integer")),
        ("maintenanceWindowPollCount", True, CANNOT.format("true", "lang.Boolean", "Integer")),
        ("maintenanceWindowPollCount", 2**31, CANNOT.format(2**31, "lang.Long", "Integer")),
        ("pollingOverdueTime", "-00:00:05", None),
        ("pollingOverdueTime", "-01:00:00", "The given configuration value is not in the allowed to be negative."),
    ],
)
def test_what_cannot_be_converted_is_refused(rig: Rig, key: str, given: Any, message: str | None) -> None:
    answer = put(rig, key, given)
    if message is None:
        assert status(answer) == 204
        return
    assert (status(answer), error_code(answer), document(answer)["message"]) == (400, "configValueInvalid", message)


@pytest.mark.parametrize("text", ["00:00:29", "24:00:00", "x", "", "00:05:00, group==a -> 00:00:10"])
def test_polling_times_outside_the_limits_are_refused(rig: Rig, text: str) -> None:
    answer = put(rig, "pollingTime", text)
    assert (status(answer), error_code(answer)) == (400, "configValueInvalid")
    assert value(rig, "pollingTime") == "00:05:00"


def test_an_override_with_an_unknown_field_is_refused(rig: Rig) -> None:
    """S77."""
    assert error_code(put(rig, "pollingTime", "00:05:00, foo==a -> 00:01:00")) == "rest.param.rsqlInvalidField"


def test_the_limits_are_settings() -> None:
    rig = Rig(Settings(min_polling_time="00:00:01", max_polling_time="48:00:00"))
    rig.gateway_on()
    for text, sleep in (("00:00:01", "00:00:01"), ("PT25H", "PT25H")):
        assert status(put(rig, "pollingTime", text)) == 204
        assert sleep_of(rig.poll("dev")) == sleep


@pytest.mark.parametrize(("key", "given"), [("pollingTime", None), ("pollingOverdueTime", "x")])
def test_what_cannot_be_read_at_all(rig: Rig, key: str, given: Any) -> None:
    assert error_code(put(rig, key, given)) == "rest.body.notReadable"


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_an_unknown_key_is_refused_with_the_nearest(rig: Rig, method: str) -> None:
    answer = rig.mgmt(method, "/system/configs/pollingTme", {"value": "x"} if method == "PUT" else None)
    assert (status(answer), error_code(answer)) == (400, "configKeyInvalid")
    assert "near: pollingTime" in answer.reason


def test_a_bulk_change_is_all_or_nothing(rig: Rig) -> None:
    answer = rig.mgmt("PUT", "/system/configs", {"maintenanceWindowPollCount": 7, "nosuch.key": 1})
    assert status(answer) == 400
    assert value(rig, "maintenanceWindowPollCount") == 3


def test_who_changed_a_value_and_back_to_the_default(rig: Rig) -> None:
    put(rig, "pollingTime", "00:01:00")
    rig.let_pass(1)
    put(rig, "pollingTime", "00:02:00")
    now_ms = rig.now_us // 1000
    expected = {"createdBy": "admin", "createdAt": now_ms - 1000, "lastModifiedBy": "admin", "lastModifiedAt": now_ms}
    assert expected.items() <= rig.read("/system/configs/pollingTime").items()
    assert status(rig.mgmt("DELETE", "/system/configs/pollingTime")) == 204
    assert rig.read("/system/configs/pollingTime")["global"] is True


def test_the_gateway_key_is_shown_to_those_who_may_see_it() -> None:
    rig = Rig(Settings(accounts=(Account("admin", "admin"), READER)))
    rig.gateway_on()
    assert "authentication.gatewaytoken.key" not in document(rig.mgmt("GET", "/system/configs", account=READER))
    answer = rig.mgmt("GET", "/system/configs/authentication.gatewaytoken.key", account=READER)
    assert (status(answer), error_code(answer)) == (403, "insufficientPermission")
    assert status(rig.mgmt("GET", "/system/configs/pollingTime", account=READER)) == 200
    assert status(rig.mgmt("PUT", "/system/configs/pollingTime", {"value": "00:01:00"}, account=READER)) == 403
    assert ("gateway-token", "the-gateway-key") in rig.platform.secrets()


def test_the_default_set_type(rig: Rig) -> None:
    document_ = rig.read("/system/configs/default.ds.type")
    assert document_["global"] is False
    assert error_code(put(rig, "default.ds.type", 999)) == "repo.entityNotFound"
    assert error_code(put(rig, "default.ds.type", "os")) == "configValueInvalid"
    assert status(put(rig, "default.ds.type", document_["value"])) == 204
    assert status(rig.mgmt("DELETE", "/system/configs/default.ds.type")) == 404


def test_defaults_of_the_server_are_global() -> None:
    rig = Rig(Settings(config_defaults={"pollingTime": "00:01:00"}))
    assert rig.read("/system/configs/pollingTime")["value"] == "00:01:00"
    assert rig.read("/system/configs/pollingTime")["global"] is True


def test_up_to_0_9_a_change_answers_with_the_value() -> None:
    rig = Rig(Settings(profile=Profile.OLD))
    answer = put(rig, "pollingTime", "00:01:00")
    assert (status(answer), document(answer)["value"]) == (200, "00:01:00")
    assert status(rig.mgmt("DELETE", "/system/configs/pollingTime")) == 200


def test_a_change_that_is_undone_leaves_no_trace_in_what_is_remembered(rig: Rig) -> None:
    """The parsed configuration is kept between requests; an undone change must not stay in it."""
    rig.target_tokens_on()
    rig.create("dev", securityToken="t")
    assert status(rig.poll("dev", "t")) == 200
    rig.mgmt("PUT", "/system/configs", {"authentication.targettoken.enabled": False, "nosuch.key": 1})
    assert status(rig.poll("dev", "t")) == 200


def test_userinfo(rig: Rig) -> None:
    assert rig.read("/userinfo") == {"tenant": "DEFAULT", "username": "admin", "permissions": ["ROLE_TENANT_ADMIN"]}


@pytest.mark.parametrize(
    ("key", "given", "stored"),
    [
        ("authentication.gatewaytoken.key", [], ""), ("authentication.gatewaytoken.key", ["a", "b"], "a,b"),
        ("maintenanceWindowPollCount", "0x10", 16), ("maintenanceWindowPollCount", " 1 2 ", 12),
        ("authentication.targettoken.enabled", [True], True),
    ],
)  # fmt: skip
def test_an_array_counts_as_its_elements_and_numbers_may_be_hexadecimal(
    rig: Rig, key: str, given: Any, stored: Any
) -> None:
    assert status(put(rig, key, given)) == 204
    assert value(rig, key) == stored


@pytest.mark.parametrize(
    ("key", "given", "message"),
    [
        ("authentication.targettoken.enabled", "", "The given configuration value is expected as a Boolean"),
        ("maintenanceWindowPollCount", [], "The given configuration value is expected as a Integer"),
        ("maintenanceWindowPollCount", {"a": [1]}, CANNOT.format("{a=[1]}", "util.LinkedHashMap", "Integer")),
        ("pollingTime", "a, b", r"Invalid pollingInterval: 'a', expecting: (HH:mm:ss|ISO-8601)(~\d{1,2}%)?"),
        ("default.ds.type", "1",
         "Default DistributionSetType Value Type is incorrect. Expected Long, received java.lang.String"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_the_words_of_the_server(rig: Rig, key: str, given: Any, message: str) -> None:
    answer = put(rig, key, given)
    assert (status(answer), document(answer)["message"]) == (400, message)


def test_a_body_without_value_breaks_the_server(rig: Rig) -> None:
    assert status(rig.mgmt("PUT", "/system/configs/pollingTime", {})) == 500
    assert error_code(put(rig, "pollingTime", None)) == "rest.body.notReadable"
    assert error_code(rig.mgmt("PUT", "/system/configs", {"pollingTime": None})) == "configValueInvalid"


def test_the_default_type_is_read_by_everybody_and_taken_from_any_number(rig: Rig) -> None:
    assert status(put(rig, "default.ds.type", 1.9)) == 204
    assert value(rig, "default.ds.type") == 1
    assert status(rig.mgmt("PUT", "/system/configs", {"default.ds.type": None})) == 204
