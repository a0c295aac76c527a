"""The HTTP adapter: who signs in by a password or a token, and what becomes of telemetry and events (H rows)."""

from __future__ import annotations

from typing import Any

import pytest

from fleetrig.reference_server.platforms.hono.state.generations import Profile
from fleetrig.simulator.contract.faults import FaultKind
from tests.reference_server.platforms.hono.adapter_rig import JSON_TYPE, TENANT, AdapterRig, of_profile
from tests.reference_server.platforms.hono.http_requests import (
    answered,
    ask,
    basic,
    post,
    put,
    reasons_of,
    said,
    steps_of,
)

EMPTY_NOTIFICATION = ("Content-Type", "application/vnd.eclipse-hono-empty-notification")


@pytest.fixture
def rig() -> AdapterRig:
    made = AdapterRig()
    made.tenant()
    made.password("sensor1")
    made.told()
    return made


@pytest.mark.parametrize("target", ["/telemetry", "/event", "/telemetry/", "/telemetry?hono-ttd=0"])
def test_a_right_password(rig: AdapterRig, target: str) -> None:
    response = post(rig, target, user="sensor1")
    assert (response.status, response.headers, response.body) == (202, (), b"")
    assert steps_of(rig) == [
        "tenant_found", "credentials_found", "secret_verified", "registration_asserted", "message_forwarded",
    ]  # fmt: skip
    assert {event.device for event in rig.events} == {"sensor1"}


@pytest.mark.parametrize(
    ("user", "password", "error", "reason"),
    [
        ("sensor1", "x", "bad credentials", "the password is none of those of sensor1"),
        ("nope", "x", "bad credentials", "nobody of the tenant acme has hashed-password credentials of 'nope'"),
        ("sensor1@nosuch", "x", "bad credentials", "there is no tenant 'nosuch'"),
    ],
)
def test_a_wrong_password(rig: AdapterRig, user: str, password: str, error: str, reason: str) -> None:
    response = post(rig, user=user, password=password)
    assert said(response) == (401, error)
    assert response.header("WWW-Authenticate") is None
    assert reasons_of(rig) == [reason]


@pytest.mark.parametrize(
    ("header", "expected", "challenges"),
    [
        ((), (401, "Unauthorized"), 2),
        ((("Authorization", "Digest x"),), (401, "Unauthorized"), 2),
        ((("Authorization", "Bearer x.y"),), (401, "Unauthorized"), 2),
        ((("Authorization", "Basic"),), (400, "Bad Request"), 0),
        ((("Authorization", "Basic %%%"),), (400, "Bad Request"), 0),
        ((basic("sensor1", "secret"),), (401, "malformed credentials"), 0),
    ],
    ids=["none", "another scheme", "no token", "a scheme alone", "no Base64", "no @"],
)
def test_credentials_that_cannot_be_read(
    rig: AdapterRig, header: tuple[tuple[str, str], ...], expected: tuple[int, str], challenges: int
) -> None:
    response = post(rig, headers=(JSON_TYPE, *header))
    assert said(response) == expected
    told = [value for name, value in response.headers if name == "WWW-Authenticate"]
    assert told == ['Bearer realm="Hono"', 'Basic realm="Hono"'][:challenges]


def test_user_and_password_in_the_user_name(rig: AdapterRig) -> None:
    both = basic(f"sensor1@{TENANT}", "open sesame")[1].removeprefix("Basic ")
    assert post(rig, headers=(JSON_TYPE, basic(both, ""))).status == 202


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b"", (), (400, "content type [null] does not match payload")),
        (b"x", (EMPTY_NOTIFICATION,), (400, f"content type [{EMPTY_NOTIFICATION[1]}] does not match payload")),
        (b"x", (("qos-level", "2"),), (400, "unsupported QoS-Level header value")),
        (b"x", (("qos-level", "one"),), (400, "unsupported QoS-Level header value")),
        (b"x" * 2049, (), (413, "N/A")),
        (b"x" * 2048, (), (202, "")),
        (b"x", (), (202, "")),
        (b"x", (("qos-level", "1"),), (202, "")),
        (b"", (EMPTY_NOTIFICATION,), (202, "")),
    ],
    ids=["nothing", "a body to none", "qos 2", "no qos", "too much", "as much as may be", "no type", "qos 1", "empty"],
)
def test_bodies_and_their_types(
    rig: AdapterRig, body: bytes, headers: tuple[tuple[str, str], ...], expected: tuple[int, str]
) -> None:
    assert said(post(rig, "/telemetry", body, user="sensor1", headers=headers)) == expected


def test_an_event_has_one_quality_of_service(rig: AdapterRig) -> None:
    refused = post(rig, "/event", user="sensor1", headers=(("qos-level", "0"),))
    assert said(refused) == (400, "unsupported QoS-Level header value")


@pytest.mark.parametrize(
    ("method", "target", "status", "allow"),
    [
        ("POST", "/nosuch", 404, None),
        ("GET", "/telemetry", 405, "POST,PUT"),
        ("PUT", "/telemetry", 404, None),
        ("POST", f"/telemetry/{TENANT}/d", 405, "PUT"),
        ("GET", "/command/res/1", 405, "POST,PUT"),
        ("POST", "/command/res/a/b", 405, "PUT"),
        ("PUT", f"/telemetry/{TENANT}", 404, None),
        ("PUT", "/telemetry/%zz/d", 400, None),
    ],
)
def test_paths_and_methods(rig: AdapterRig, method: str, target: str, status: int, allow: str | None) -> None:
    response = answered(ask(rig, method, target, user="sensor1"))
    assert (response.status, response.header("Allow")) == (status, allow)
    assert reasons_of(rig) != [""]


def test_who_is_too_loud_before_signing_in_is_told_to_sign_in(rig: AdapterRig) -> None:
    assert post(rig, "/telemetry", b"x" * 5000).status == 401


def test_a_device_that_puts_for_itself(rig: AdapterRig) -> None:
    assert put(rig, f"/telemetry/{TENANT}/sensor1", user="sensor1").status == 202
    assert put(rig, "/telemetry//sensor1", user="sensor1").status == 202
    refused = put(rig, f"/telemetry/{TENANT}/zz", user="sensor1")
    assert said(refused) == (404, "device is disabled or not registered")
    assert "lacks the authority auto-provisioning-enabled" in reasons_of(rig)[0]
    foreign = put(rig, "/telemetry/other/sensor1", user="sensor1")
    assert said(foreign) == (403, "not authorized to upload data for device from other tenant")


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ({"enabled": False}, "tenant is disabled or not registered"),
        ({"adapters": [{"type": "hono-mqtt", "enabled": True}]}, "adapter is disabled"),
        ({"adapters": [{"type": "hono-http"}]}, "adapter is disabled"),
    ],
)
def test_a_tenant_that_does_not_want_it(rig: AdapterRig, members: dict[str, object], error: str) -> None:
    rig.api("PUT", f"tenants/{TENANT}", members)
    assert said(post(rig, user="sensor1")) == (403, error)


def test_a_device_that_is_disabled_is_signed_in_and_refused(rig: AdapterRig) -> None:
    rig.api("PUT", f"devices/{TENANT}/sensor1", {"enabled": False})
    assert said(post(rig, user="sensor1")) == (404, "device is disabled or not registered")
    assert steps_of(rig)[-1] == "secret_verified"


@pytest.mark.parametrize("entry", [{"enabled": False}, {"ext": {"client-id": "me"}}])
def test_credentials_of_no_use(rig: AdapterRig, entry: dict[str, Any]) -> None:
    rig.password("d2", **entry)
    is_bound = "ext" in entry
    assert said(post(rig, user="d2")) == ((202, "") if is_bound else (401, "bad credentials"))
    assert rig.join(1, "d2", client_id="other") == ["1 CONNACK 4", "1 closed"]


@pytest.mark.parametrize(
    "secret",
    [
        {"not-after": "2025-12-31T00:00:00Z"},
        {"not-before": "2027-01-01T00:00:00Z"},
        {"enabled": False},
    ],
)
def test_a_secret_that_does_not_count_now(rig: AdapterRig, secret: dict[str, object]) -> None:
    """H09; beside another one that does, H10."""
    shown = rig.shown(f"credentials/{TENANT}/sensor1")[0]
    useless = {"pwd-plain": "old", **secret}
    rig.api("PUT", f"credentials/{TENANT}/sensor1", [{**shown, "secrets": [*shown["secrets"], useless]}])
    assert post(rig, user="sensor1").status == 202
    assert post(rig, user="sensor1", password="old").status == 401
    rig.api("PUT", f"credentials/{TENANT}/sensor1", [{**shown, "secrets": [useless]}])
    assert post(rig, user="sensor1", password="old").status == 401


def test_two_passwords_at_the_same_time(rig: AdapterRig) -> None:
    shown = rig.shown(f"credentials/{TENANT}/sensor1")[0]
    both = [*shown["secrets"], {"pwd-plain": "new"}]
    rig.api("PUT", f"credentials/{TENANT}/sensor1", [{**shown, "secrets": both}])
    assert [post(rig, user="sensor1", password=one).status for one in ("open sesame", "new", "x")] == [202, 202, 401]


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [("/telemetry", (), 202), ("/telemetry", (("qos-level", "1"),), 503), ("/event", (), 503)],
)
def test_applications_cannot_be_reached(
    rig: AdapterRig, target: str, headers: tuple[tuple[str, str], ...], status: int
) -> None:
    """H08: telemetry that nobody has to take is lost without a word."""
    rig.fault(FaultKind.NORTHBOUND_DOWN, hits=f"* hono.*.{TENANT}", parameters={"delay_s": 3.0})
    delivery = ask(rig, "POST", target, user="sensor1", headers=headers)
    response = answered(delivery)
    assert response.status == status
    assert delivery.delay_us == 3_000_000
    assert rig.northbound() == []
    if status == 503:
        assert said(response) == (503, "temporarily unavailable")
        assert response.header("Retry-After") == "2"
    (fault,) = [event for event in rig.events if event.kind == "fault"]
    assert fault.reason == f"{target[1:].upper()} hono.{target[1:]}.{TENANT}: delay_s 3.0"


def test_too_much_data(rig: AdapterRig) -> None:
    """H07: 429 as soon as a message would be too much, and not in the next period."""
    volume = {"effective-since": "2025-01-01T00:00:00Z", "max-bytes": 100, "period": {"mode": "monthly"}}
    rig.api("PUT", f"tenants/{TENANT}", {"resource-limits": {"data-volume": volume}, "minimum-message-size": 40})
    assert [post(rig, "/telemetry", b"12345", user="sensor1").status for _ in range(3)] == [202, 202, 429]
    assert said(post(rig, "/event", b"x", user="sensor1")) == (
        429, "tenant's accumulated message data volume exceeds configured maximum value",
    )  # fmt: skip
    assert reasons_of(rig)[0] == "80 bytes were sent since 2026-01-01T00:00:00Z, 100 may be"
    assert post(rig, "/event", b"", user="sensor1", headers=(EMPTY_NOTIFICATION,)).status == 202, "it weighs nothing"
    rig.after(32 * 86_400)
    assert post(rig, "/telemetry", b"12345", user="sensor1").status == 202


def test_without_a_prometheus_nothing_is_too_much() -> None:
    rig = of_profile(Profile.JDBC)
    limits = {"data-volume": {"effective-since": "2025-01-01T00:00:00Z", "max-bytes": 1, "period": {"mode": "monthly"}}}
    rig.tenant(resource_limits=limits)
    rig.password("sensor1")
    assert post(rig, user="sensor1").status == 202


def test_generation_1_says_it_in_plain_text() -> None:
    rig = of_profile(Profile.OLD)
    rig.tenant(enabled=True)
    rig.device("sensor1")
    response = post(rig)
    assert said(response) == (401, "Unauthorized")
    assert response.header("Content-Type") == "text/plain; charset=utf-8"
    assert [value for name, value in response.headers if name == "WWW-Authenticate"] == ['Basic realm="Hono"']
