"""Older generations and the documentation, where they differ from the current server (§1.3, §1.5, §1.6, §3.3, §5)."""

from __future__ import annotations

import pytest

from reference_server.platforms.hawkbit.settings import Account, Profile, Settings
from tests.reference_server.platforms.hawkbit.rig import GATEWAY_KEY, Rig, document, error_code, sleep_of, status

READER = Account("reader", "r", ("READ_TARGET",))
GATEWAY = {"authentication.gatewaytoken.enabled": True, "authentication.gatewaytoken.key": GATEWAY_KEY}


@pytest.fixture
def old() -> Rig:
    return Rig(Settings(profile=Profile.OLD, accounts=(Account("admin", "admin"), READER), config_defaults=GATEWAY))


def test_before_1_0_there_were_no_groups(old: Rig) -> None:
    assert status(old.mgmt("GET", "/targetgroups")) == 404


def test_before_1_0_the_missing_right_was_spelled_in_lower_case(old: Rig) -> None:
    answer = old.mgmt("DELETE", "/targets/x", account=READER)
    assert (status(answer), error_code(answer)) == (403, "insufficientpermission")


@pytest.mark.parametrize("text", ["300", "PT5M", "05:00", "00:10:00~10%", "00:05:00, name==x -> 00:01:00", "24:00:00"])
def test_before_0_10_a_polling_time_was_a_plain_clock_time(old: Rig, text: str) -> None:
    answer = old.mgmt("PUT", "/system/configs/pollingTime", {"value": text})
    assert (status(answer), error_code(answer)) == (400, "configValueInvalid")
    assert "HH:mm:ss" in document(answer)["message"]


def test_before_0_10_the_limits_were_told_in_other_words(old: Rig) -> None:
    answer = old.mgmt("PUT", "/system/configs/pollingTime", {"value": "00:00:29"})
    allowed = "The given configuration value is not in the allowed range from 00:00:30 to 23:59:59."
    assert document(answer)["message"] == allowed
    assert status(old.mgmt("PUT", "/system/configs/pollingTime", {"value": "00:00:30"})) == 200
    assert sleep_of(old.poll("dev")) == "00:00:30"


@pytest.mark.parametrize(
    ("profile", "creator"),
    [(Profile.CURRENT, "CONTROLLER_PLUG_AND_PLAY"), (Profile.OLD, "CONTROLLER_PLUG_AND_PLAY"),
     (Profile.AS_DOCUMENTED, "system")],
)  # fmt: skip
def test_who_creates_a_target_that_creates_itself(profile: Profile, creator: str) -> None:
    """§5, 1: in all releases it was CONTROLLER_PLUG_AND_PLAY, whatever the document says."""
    rig = Rig(Settings(profile=profile, config_defaults=GATEWAY))
    rig.poll("dev")
    target = rig.read("/targets/dev")
    assert (target["createdBy"], target["lastModifiedBy"]) == (creator, creator)


@pytest.mark.parametrize(("profile", "code"), [(Profile.CURRENT, 201), (Profile.OLD, 400)])
def test_one_object_counts_as_an_array_from_1_1_on(profile: Profile, code: int) -> None:
    rig = Rig(Settings(profile=profile))
    assert status(rig.mgmt("POST", "/targets", {"controllerId": "alone"})) == code
    assert status(rig.mgmt("POST", "/targets", [{"controllerId": "listed"}])) == 201
