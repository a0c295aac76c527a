"""What devices do over HTTP: provision, and use what they were given (sections 1.5, 1.6 and 3.3)."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from fleetrig.reference_server.platform import HeldRequest, Reaction
from fleetrig.reference_server.platforms.thingsboard.http import waiting
from fleetrig.reference_server.platforms.thingsboard.http.replies import type_of_text
from fleetrig.reference_server.platforms.thingsboard.state.settings import Settings
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.session import Session
from tests.reference_server.platforms.thingsboard.http_rig import (
    ORIGIN,
    HttpRig,
    Undo,
    answered,
    document,
    refused,
    text,
)

PROVISION = "/api/v1/provision"
JSON = "application/json"


def request(**members: Any) -> dict[str, Any]:
    return {"provisionDeviceKey": "KA", "provisionDeviceSecret": "SA", **members}


@pytest.fixture
def rig() -> HttpRig:
    made = HttpRig()
    made.profile("A")
    return made


def test_a_provisioned_device_logs_in_with_its_token(rig: HttpRig) -> None:
    answer = rig.post(PROVISION, request(deviceName="d"))
    token = document(answer)["credentialsValue"]

    said = rig.post(f"/api/v1/{token}/telemetry", {"a": 1})

    assert text(answer) == f'{{"credentialsValue":"{token}","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}}'
    assert (said.response.status, text(said), said.device) == (200, "", "d")


@pytest.mark.parametrize(
    ("members", "status"),
    [({"deviceName": "taken"}, "FAILURE"), ({"provisionDeviceKey": "nobody"}, "NOT_FOUND")],
)
def test_every_decision_is_200(rig: HttpRig, members: dict[str, Any], status: str) -> None:
    rig.device("taken")

    answer = rig.post(PROVISION, request(**members))

    assert (answer.response.status, document(answer)["status"]) == (200, status)
    assert answer.reason


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("[]", "Can't parse value: []"),
        ('{"provisionDeviceKey":"K","provisionDeviceSecret":"S","hash":null}', "JsonNull"),
    ],
)
def test_what_is_no_request_is_an_internal_error(rig: HttpRig, body: str, message: str) -> None:
    assert refused(rig.send("POST", PROVISION, body.encode(), Content_Type=JSON)) == (500, 2, message)


@pytest.mark.parametrize("body", ["{", "hello", '"{}"', '{"provisionDeviceKey":"K"}'])
def test_so_is_what_is_not_even_json(rig: HttpRig, body: str) -> None:
    assert refused(rig.send("POST", PROVISION, body.encode(), Content_Type=JSON))[:2] == (500, 2)


def test_no_body_is_a_bad_request(rig: HttpRig) -> None:
    assert refused(rig.send("POST", PROVISION))[:2] == (400, 31)


def test_a_form_is_read_as_its_parameters(rig: HttpRig) -> None:
    """S95: the container has taken the body for parameters, and it is put together from them again."""
    form = "application/x-www-form-urlencoded"
    answer = rig.post(PROVISION, request(deviceName="d"), Content_Type=form)

    assert refused(answer)[:2] == (500, 2)
    assert "Content-Type" in answer.reason
    assert refused(rig.send("POST", PROVISION, Content_Type=form))[:2] == (400, 31)
    assert rig.send("POST", "/api/v1/nobody/telemetry", b"a=1", Content_Type=form).response.status == 401


def test_a_profile_with_an_authority_answers_no_request() -> None:
    rig = HttpRig()
    made = rig.profile("X", "X509_CERTIFICATE_CHAIN")
    secret = made["profileData"]["provisionConfiguration"]["provisionDeviceSecret"]

    answer = rig.post(PROVISION, request(provisionDeviceKey=made["provisionDeviceKey"], provisionDeviceSecret=secret))

    assert (answer.response.status, text(answer)) == (500, "")


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "text/plain;charset=UTF-8"),
        ("*/*", "text/plain;charset=UTF-8"),
        (JSON, JSON),
        ("application/xml", "application/xml;charset=UTF-8"),
        ("text/html;q=0.5, application/json", JSON),
        ("text/*", "text/plain;charset=UTF-8"),
        ("text/html;q=x", "text/plain;charset=UTF-8"),
    ],
)
def test_the_type_of_the_answer_follows_accept(accept: str | None, content_type: str) -> None:
    assert type_of_text(accept) == content_type


def test_the_path_has_no_slash_at_its_end_and_one_method(rig: HttpRig) -> None:
    slash, get, options = (
        rig.send(method, path)
        for method, path in (("POST", f"{PROVISION}/"), ("GET", PROVISION), ("OPTIONS", PROVISION))
    )

    assert refused(slash)[:2] == (404, 32)
    assert refused(get)[:2] == (405, 31)
    assert get.response.header("Allow") == "POST"
    assert options.response.status == 403


def test_a_body_over_the_limit_is_refused() -> None:
    rig = HttpRig(Settings(request_body_bytes=100))

    answer = rig.send("POST", PROVISION, b"x" * 101)

    assert rig.send("POST", PROVISION, b"x" * 100).response.status == 500
    assert (answer.response.status, text(answer)) == (413, '"Payload size exceeds the limit of 100 bytes"')
    assert rig.api.container_rules.error_page(413) == answer.response


def test_the_container_has_a_page_and_closes_after_errors(rig: HttpRig) -> None:
    rules = rig.api.container_rules

    page = rules.error_page(400)

    assert b"<h1>HTTP Status 400 \xe2\x80\x93 Bad Request</h1>" in body_bytes(page.body)
    assert {400, 500} <= rules.closes_after
    assert not {200, 401, 404, 405} & rules.closes_after


@pytest.mark.parametrize(("path", "said"), [(PROVISION, ""), ("/api/device", '"Database error","errorCode":46')])
def test_a_store_that_fails_is_told_to_operators_only(rig: HttpRig, path: str, said: str) -> None:
    failure = rig.api.container_rules.failure
    assert failure is not None

    answer = failure(HttpRequest("POST", "http://thingsboard.test", path), rig.now_us)

    assert answer.status == 500
    assert said in body_bytes(answer.body).decode()
    assert bool(answer.body) == bool(said)


# With a token


@pytest.fixture
def device(rig: HttpRig) -> HttpRig:
    rig.device("d", "A", "mine")
    return rig


def test_attributes_of_the_device_are_read_back(device: HttpRig) -> None:
    device.post("/api/v1/mine/attributes", {"fw": "1.0", "serial": "007", "x": "1.0b"})

    answer = device.send("GET", "/api/v1/mine/attributes?clientKeys=fw,serial&sharedKeys=y")

    assert text(answer) == '{"client":{"fw":1.0,"serial":7}}'
    assert answer.response.header("Content-Type") == JSON


def test_server_attributes_are_no_devices_business(device: HttpRig) -> None:
    name = {"deviceName": "new"}
    token = document(device.post(PROVISION, request(**name)))["credentialsValue"]
    query = "clientKeys=provisionState&sharedKeys=provisionState"

    assert text(device.send("GET", f"/api/v1/{token}/attributes?{query}")) == "{}"


@pytest.mark.parametrize("path", ["telemetry", "attributes", "claim", "rpc/1"])
def test_who_has_no_token_is_refused_without_a_body(device: HttpRig, path: str) -> None:
    answer = device.post(f"/api/v1/nobody/{path}", {"a": 1})

    assert (answer.response.status, answer.response.headers, text(answer)) == (401, (), "")
    assert answer.reason


def test_tokens_in_a_path_are_secrets_whoevers_they_are(device: HttpRig) -> None:
    device.registry.new_secrets.clear()

    for token in ("mine", "word", "a-token-of-somebody"):
        device.post(f"/api/v1/{token}/telemetry", {"a": 1})

    assert [value for _, value in device.registry.new_secrets] == ["mine", "a-token-of-somebody"]


def test_other_credentials_do_not_count(rig: HttpRig) -> None:
    answer = rig.post(PROVISION, request(credentialsType="MQTT_BASIC", username="u"))

    assert document(answer)["status"] == "SUCCESS"
    assert rig.post("/api/v1/u/telemetry", {"a": 1}).response.status == 401
    assert "u" not in [value for _, value in rig.registry.new_secrets]


@pytest.mark.parametrize("path", ["telemetry", "attributes"])
@pytest.mark.parametrize("body", ["{bad", "7"])
def test_a_bad_body_is_500_with_a_text(device: HttpRig, path: str, body: str) -> None:
    answer = device.send("POST", f"/api/v1/mine/{path}", body.encode(), Content_Type=JSON)

    assert answer.response.status == 500
    assert text(answer)
    assert answer.reason


def test_an_empty_body_is_a_bad_request(device: HttpRig) -> None:
    assert refused(device.send("POST", "/api/v1/mine/telemetry"))[:2] == (400, 31)


@pytest.mark.parametrize(
    ("path", "after_ms"),
    [("attributes/updates?timeout=1000", 1000), ("rpc?timeout=250", 250), ("rpc?timeout=30000", 30_000)],
)
def test_a_long_poll_that_nothing_came_of_is_408(device: HttpRig, path: str, after_ms: int) -> None:
    began_us = device.now_us

    answer = device.send("GET", f"/api/v1/mine/{path}")

    assert (answer.response.status, text(answer), answer.device) == (408, "", "d")
    assert device.now_us - began_us == after_ms * 1000


@pytest.mark.parametrize("path", ["rpc", "rpc?timeout=0", "rpc?timeout=30001", "attributes/updates?timeout=86400000"])
def test_no_request_is_held_longer_than_the_server_holds_any(device: HttpRig, path: str) -> None:
    """Seen on a 4.3.1.3: 503 after 30 s, whatever was asked for."""
    began_us = device.now_us

    answer = device.send("GET", f"/api/v1/mine/{path}")

    told = f'{{"message":null,"errorCode":2,"status":503,"timestamp":{device.now_us // 1000}}}'
    assert (answer.response.status, text(answer), answer.device) == (503, told, "d")
    assert answer.response.header("Content-Type") == "application/json"
    assert device.now_us - began_us == 30_000_000


def test_a_long_poll_gets_the_first_thing_that_comes(device: HttpRig) -> None:
    """And once: who does not ask again hears of nothing more."""
    found = device.get("/api/tenant/devices?deviceName=d")["id"]["id"]
    for path, sent, body in (
        ("attributes/updates", lambda: shared(device, {"fw": 1}), '{"fw":1}'),
        ("attributes/updates", lambda: forgotten(device, "fw"), '{"deleted":["fw"]}'),
        ("rpc", lambda: command(device, found, 1), '{"id":0,"method":"m","params":1}'),
        ("rpc", lambda: command(device, found, None), '{"id":1,"method":"m","params":null}'),
    ):
        held = device.begin("GET", f"/api/v1/mine/{path}?timeout=60000")
        assert isinstance(held, HeldRequest)
        sent()
        (told,) = heard(device)
        answer = answered(told, held.held_id)
        assert (answer.response.status, text(answer)) == (200, body)
        assert answer.response.header("Content-Type") == "application/json"
        sent()
        assert heard(device) == []


def test_only_what_is_awaited_ends_a_long_poll(device: HttpRig) -> None:
    found = device.get("/api/tenant/devices?deviceName=d")["id"]["id"]
    device.device("other", token="other-token")
    for path, sent in (
        ("rpc", lambda: shared(device, {"fw": 1})),
        ("attributes/updates", lambda: command(device, found, 1)),
        ("attributes/updates", lambda: device.post("/api/v1/mine/attributes", {"mine": 1})),
        ("attributes/updates", lambda: shared(device, {"fw": 2}, "other")),
    ):
        held = device.begin("GET", f"/api/v1/mine/{path}?timeout=60000")
        assert isinstance(held, HeldRequest)
        sent()
        assert heard(device) == []
        device.api.waiting.left(held.held_id)
        assert device.api.waiting.next_due_us() is None


@pytest.mark.parametrize(
    ("ends", "status", "said"),
    [("deleted", 403, "Device was deleted!"), ("other token", 408, "")],
)
def test_what_ends_a_device_ends_its_long_polls(device: HttpRig, ends: str, status: int, said: str) -> None:
    found = device.get("/api/tenant/devices?deviceName=d")["id"]["id"]
    polls = [device.begin("GET", f"/api/v1/mine/{path}") for path in ("rpc", "attributes/updates")]
    if ends == "deleted":
        device.ask("DELETE", f"/api/device/{found}")
    else:
        credentials = device.get(f"/api/device/{found}/credentials")
        device.ask("POST", "/api/device/credentials", credentials | {"credentialsId": "another-token"})
    told = heard(device)
    assert len(told) == 2
    for reaction, poll in zip(told, polls, strict=True):
        assert isinstance(poll, HeldRequest)
        answer = answered(reaction, poll.held_id)
        assert (answer.response.status, text(answer)) == (status, said)
    assert device.api.waiting.next_due_us() is None


def test_who_has_been_held_longest_makes_room(device: HttpRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MOST_HELD", 2)
    polls = [device.begin("GET", "/api/v1/mine/rpc?timeout=20000") for _ in range(3)]
    assert device.api.waiting.next_due_us() == device.now_us
    (early,) = device.api.waiting.advance(device.now_us)
    assert isinstance(polls[0], HeldRequest)
    assert answered(early, polls[0].held_id).response.status == 408


def test_a_request_that_nobody_keeps_is_not_held(device: HttpRig) -> None:
    """Its transaction has failed."""
    with suppress(Undo), device.registry.store.transaction():
        device.api.handle(HttpRequest("GET", ORIGIN, "/api/v1/mine/rpc"), Session(), device.now_us)
        raise Undo
    assert device.api.waiting.next_due_us() is None


def heard(rig: HttpRig) -> list[Reaction]:
    return [reaction for notice in rig.registry.take_notices() for reaction in rig.api.waiting.hear(notice)]


def shared(rig: HttpRig, values: dict[str, object], name: str = "d") -> None:
    found = rig.get(f"/api/tenant/devices?deviceName={name}")["id"]["id"]
    rig.ask("POST", f"/api/plugins/telemetry/DEVICE/{found}/SHARED_SCOPE", values)


def forgotten(rig: HttpRig, key: str) -> None:
    found = rig.get("/api/tenant/devices?deviceName=d")["id"]["id"]
    rig.ask("DELETE", f"/api/plugins/telemetry/DEVICE/{found}/SHARED_SCOPE?keys={key}")


def command(rig: HttpRig, device_id: str, params: object) -> None:
    rig.ask("POST", f"/api/rpc/oneway/{device_id}", {"method": "m", "params": params})


def test_no_rule_answers_a_device(device: HttpRig) -> None:
    asked = device.post("/api/v1/mine/rpc", {"method": "m", "params": {}})
    answered = device.post("/api/v1/mine/rpc/7", {"any": "thing"})

    assert (asked.response.status, document(asked)["message"]) == (503, None)
    assert (answered.response.status, text(answered)) == (200, "")
    assert refused(device.post("/api/v1/mine/rpc/x", {}))[:2] == (400, 31)


@pytest.mark.parametrize("body", [{"method": "m"}, {"params": 1}, {"method": [], "params": 1}, []])
def test_what_is_no_rpc_is_an_internal_error(device: HttpRig, body: object) -> None:
    answer = device.post("/api/v1/mine/rpc", body)

    assert (answer.response.status, text(answer)) == (500, "")


def test_what_was_measured_last_is_text(device: HttpRig) -> None:
    device.post("/api/v1/mine/telemetry", {"a": 1.5, "b": True, "c": "x"})
    found = device.get("/api/tenant/devices?deviceName=d")

    latest = device.get(f"/api/plugins/telemetry/DEVICE/{found['id']['id']}/values/timeseries")

    assert {key: values[0]["value"] for key, values in latest.items()} == {"a": "1.5", "b": "true", "c": "x"}


def test_a_deleted_device_is_a_stranger(device: HttpRig) -> None:
    found = device.get("/api/tenant/devices?deviceName=d")
    device.ask("DELETE", f"/api/device/{found['id']['id']}")

    assert device.post("/api/v1/mine/telemetry", {"a": 1}).response.status == 401


def test_no_package_is_assigned(device: HttpRig) -> None:
    assert device.send("GET", "/api/v1/mine/firmware?title=t&version=1").response.status == 404
    assert refused(device.send("GET", "/api/v1/mine/firmware?title=t"))[:2] == (400, 31)


def test_a_head_is_a_get_without_a_body(device: HttpRig) -> None:
    get, head = (device.send(method, "/api/v1/mine/attributes") for method in ("GET", "HEAD"))

    assert (head.response.status, text(head)) == (200, "")
    assert head.response.header("Content-Length") == str(len(text(get)))
