"""Slips that come together, second opinions, and what only a larger tenant or another tenant shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from fleetrig.harness.doctor.diagnosis import Admission, Judgement, Weight
from fleetrig.harness.platforms.thingsboard.doctor.commands import TenantShell
from fleetrig.harness.platforms.thingsboard.doctor.document import DeviceDocument
from fleetrig.harness.platforms.thingsboard.doctor.effects import Effect, effect
from fleetrig.harness.platforms.thingsboard.doctor.facts import (
    Asked,
    DeviceRecord,
    Facts,
    Heard,
    Kind,
    Presented,
    ProfileRecord,
    Said,
    Tenant,
)
from fleetrig.harness.platforms.thingsboard.doctor.judging import judge
from fleetrig.harness.platforms.thingsboard.doctor.way import Way
from tests.harness.doctor.thingsboard.bench import ALLOW, CHECK, KEY, NAME, SECRET, TOKEN, Bench
from tests.harness.doctor.thingsboard.conftest import Doctor
from tests.harness.doctor.thingsboard.places import listening, says
from tests.harness.doctor.thingsboard.seeds import LOGS_IN, document

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
MODEL = ProfileRecord("1", "Model A", ALLOW, KEY, SECRET)
TENANT = Tenant("anna", (MODEL,), knows_all=True)
PROBE = Heard(Said.FAILURE, ("HTTP 200",), Asked.BY_AN_IMPOSSIBLE_NAME)
REQUEST = Presented(Kind.REQUEST, document=DeviceDocument(document()))
FACTS = Facts(
    TenantShell("http://tb.test", "anna"), REQUEST, Way("http://tb.test:8080"), NOW, tenant=TENANT, heard=PROBE
)
LOGIN = replace(FACTS, presented=Presented(Kind.ACCESS_TOKEN, token=TOKEN), heard=Heard(Said.REFUSED, ("CONNACK 5",)),
                way=Way("mqtt://tb.test:1883"))  # fmt: skip


def names(judgement: Judgement) -> list[str]:
    return [one.name for one in judgement.diagnoses if one.weight is not Weight.NOTE]


def with_profile(**changes: Any) -> Facts:
    return replace(FACTS, tenant=replace(TENANT, profiles=(replace(MODEL, **changes),)))


def test_the_limit_that_the_tenant_s_usage_shows() -> None:
    """`/api/usage` of a real server has both numbers."""
    full = judge(replace(FACTS, tenant=replace(TENANT, devices=10, most_devices=10)))

    assert (names(full), full.outcome) == (["limit-reached"], Admission.REFUSED)
    assert "has 10 devices, and its limit is 10" in full.diagnoses[0].cause
    for devices, most in ((9, 10), (10, 0)):
        assert judge(replace(FACTS, tenant=replace(TENANT, devices=devices, most_devices=most))).exit == 0


def test_a_key_that_works_and_is_nobody_s_here() -> None:
    """Keys are unique over the installation, so it is another tenant's, and nothing is tried there."""
    page = judge(replace(FACTS, tenant=replace(TENANT, profiles=())))

    assert (names(page), page.outcome) == (["other-tenant"], Admission.UNCERTAIN)
    assert effect(replace(FACTS, tenant=replace(TENANT, profiles=()))) is Effect.UNKNOWN


def test_a_throw_away_device_that_stays_is_told() -> None:
    page = judge(replace(FACTS, left_behind="fleetrig-doctor-1"))

    assert names(page) == ["left-behind"]
    assert "fleetrig-doctor-1" in page.diagnoses[0].cause


def test_a_refusal_that_nothing_explains() -> None:
    page = judge(replace(FACTS, heard=Heard(Said.NOT_FOUND, ("HTTP 200",), Asked.BY_AN_IMPOSSIBLE_NAME)))

    assert (names(page), page.exit) == (["contradiction"], 1)


def test_a_device_that_was_let_in_against_all_that_was_seen() -> None:
    device = DeviceRecord("1", NAME, "Model A", credentials_type="ACCESS_TOKEN", credentials_id="other")
    facts = replace(LOGIN, presented=replace(LOGIN.presented, name=NAME), tenant=replace(TENANT, device=device))
    page = judge(replace(facts, heard=Heard(Said.LET_IN, ("CONNACK 0",))))

    assert page.exit == 0
    assert [one.name for one in page.diagnoses] == ["contradiction"]
    assert "token-differs" in page.diagnoses[0].cause


@pytest.mark.parametrize(("knows_all", "expected"), [(True, ["nobody-has-it"]), (False, ["credentials-unknown"])])
def test_in_a_large_tenant_nothing_is_claimed_of_all_devices(knows_all: bool, expected: list[str]) -> None:
    page = judge(replace(LOGIN, tenant=replace(TENANT, knows_all=knows_all)))

    assert (names(page), page.exit) == (expected, 1)


def test_credentials_of_another_device_let_it_in_as_that_one() -> None:
    facts = replace(LOGIN, presented=replace(LOGIN.presented, name=NAME), tenant=replace(TENANT, owner="gw-18"))
    page = judge(replace(facts, heard=Heard(Said.LET_IN, ("CONNACK 0",))))

    assert names(page) == ["credentials-of-another"]
    assert "--name gw-18" in page.diagnoses[0].change


def test_the_secret_of_a_profile_that_was_never_set() -> None:
    page = judge(replace(with_profile(secret=None), heard=Heard(Said.NOT_FOUND, ("HTTP 200",))))

    assert names(page) == ["secret-differs"]
    assert page.diagnoses[0].cause.startswith('Profile "Model A" has no secret')


def test_no_secret_in_any_repr() -> None:
    assert SECRET not in repr(FACTS)
    assert KEY not in repr(FACTS)
    assert TOKEN not in repr(LOGIN)


# -- against a server


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variable", "said"), [("BLANK_TOKEN", "ends with a blank or a line end"), ("QUOTED", "in quotes")]
)
@pytest.mark.parametrize("over", ["mqtt", "http"])
def test_slips_in_a_token(variable: str, said: str, over: str, bench: Bench, doctor: Doctor) -> None:
    bench.device()

    page = doctor(bench, "--token", f"env:{variable}", "--name", NAME, over=over)
    unseen = doctor(bench, "--token", f"env:{variable}", "--no-account", over=over)

    assert page.names == ["token-differs", "token-malformed"]
    assert "another one but for blanks, line ends or quotes" in page.one("token-differs")["cause"]
    assert said in page.one("token-malformed")["cause"]
    assert unseen.names == ["token-malformed", "credentials-unknown"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("over", "options"),
    [("http", ("--user-name", "u17")), ("coap", ("--client-id", "c17"))],
)
def test_credentials_that_a_transport_cannot_carry(
    over: str, options: tuple[str, ...], bench: Bench, doctor: Doctor
) -> None:
    bench.device()
    bench.set_credentials("MQTT_BASIC", {"userName": "u17"} if over == "http" else {"clientId": "c17"})

    page = doctor(bench, *options, over=over)

    assert (page.names, page.code) == (["wrong-transport"], 1)
    assert doctor(bench, *options, over="mqtt").names == []


@pytest.mark.slow
@pytest.mark.parametrize("over", ["mqtt", "http", "coap"])
def test_a_certificate_over_a_transport_without_tls(over: str, bench: Bench, doctor: Doctor) -> None:
    ca = bench.chain_profile("Chained")

    page = doctor(bench, *bench.cert_files(ca.issue_client(NAME), ca), over=over)

    assert (page.names, page.code) == (["wrong-transport"], 1)
    assert bench.names() == []


@pytest.mark.slow
def test_a_gateway_flag_that_nobody_looks_at(bench: Bench, doctor: Doctor) -> None:
    bench.profile("Model A", CHECK)
    device = bench.device(profile="Model A")
    request = bench.request_file(document(gateway=True))

    page = doctor(bench, *request)
    bench.asked("POST", "/device", {**device, "additionalInfo": {"gateway": True}})

    assert page.names == ["gateway-flag-ignored"]
    assert doctor(bench, *request).names == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("member", "meant"), [("userName", "username"), ("devicename", "deviceName"), ("accessToken", "token")]
)
def test_members_that_are_ignored(member: str, meant: str, bench: Bench, doctor: Doctor) -> None:
    bench.profile("Model A")

    page = doctor(bench, *bench.request_file({**document(), member: "whatever"}))

    assert page.names == ["unknown-member"]
    assert page.one("unknown-member")["change"].startswith(f"Call it {meant}")


@pytest.mark.slow
def test_what_is_no_json_is_not_sent(bench: Bench, doctor: Doctor) -> None:
    """The server's parser takes single quotes: this would provision a device."""
    bench.profile("Model A")
    text = str(document()).encode()

    page = doctor(bench, *bench.request_file(text))

    assert page.names == ["no-json"]
    assert page.document["asked"] == "nothing as the device"
    assert bench.names() == []


@pytest.mark.slow
def test_a_login_that_is_limited(bench: Bench, doctor: Doctor) -> None:
    bench.device()
    with listening(says(b"\x20\x02\x00\x03")) as place:
        page = doctor(bench, *LOGS_IN, "--name", NAME, over=f"mqtt://{place}")

    assert (page.names, page.code) == (["session-limit"], 1)
