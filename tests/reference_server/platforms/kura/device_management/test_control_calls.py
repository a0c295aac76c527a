"""Requests to devices: when they go out, who may answer, what an answer is worth (S-29, S-30, S-41 to S-43)."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from fleetrig.reference_server.platform import HeldRequest, HttpAnswer, Reaction
from fleetrig.reference_server.platforms.kura.broker.topics import REQUESTER
from fleetrig.reference_server.platforms.kura.device_management.outstanding_calls import CallEnd, CallResult
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, Metric, int32, int64, string
from fleetrig.reference_server.platforms.kura.rest.device_calls import DeviceCall
from fleetrig.reference_server.platforms.kura.signing.signed_parts import signed_bytes
from fleetrig.reference_server.platforms.kura.state.certificates import certificates_of
from fleetrig.reference_server.platforms.kura.state.errors import Refused
from fleetrig.simulator.contract.delivery import Delivery, Ending
from fleetrig.simulator.contract.envelope import LateAnswer, Output
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.session import Session
from tests.reference_server.platforms.kura.broker_rig import ACCOUNT, GATEWAY, PASSWORD, BrokerRig, Told, told

TOPIC = f"$EDC/{ACCOUNT}/{GATEWAY}/CONF-V1/GET/configurations"


@dataclass
class Caller:
    """The outcome of a call, as REST would tell it."""

    replies: list[KuraPayload] = field(default_factory=list)

    def replied(self, reply: KuraPayload) -> HttpAnswer:
        self.replies.append(reply)
        return HttpAnswer(HttpResponse(200))

    def timed_out(self) -> HttpAnswer:
        return HttpAnswer(HttpResponse(500), reason="it took too long")

    def left(self) -> HttpAnswer:
        return HttpAnswer(HttpResponse(409))


def born(*, subscribes: bool = True) -> BrokerRig:
    rig = BrokerRig()
    rig.user()
    rig.join()
    rig.birth()
    if subscribes:
        rig.hears(1, f"$EDC/{ACCOUNT}/{GATEWAY}/#")
    return rig


def ask(rig: BrokerRig, caller: Caller | None = None, **call: object) -> HeldRequest:
    fields: dict[str, Any] = {"app_id": "CONF-V1", "method": "GET", "resource": "configurations", **call}
    request = DeviceCall(rig.account().id, GATEWAY, **fields)
    with rig.store.transaction():
        return rig.platform._broker.calls.start(request, caller or Caller(), 77, rig.now_us)


def asked(rig: BrokerRig, **call: Any) -> Told:
    """The request as the device has it, as soon as it may come."""
    ask(rig, **call)
    (found,) = told(rig.later(2))
    return found


def reply(rig: BrokerRig, request: Told, session: int = 1, app: str = "CONF-V1", **metrics: Metric) -> list[Output]:
    said = {"response.code": int32(200), **{name.replace("__", "."): metric for name, metric in metrics.items()}}
    topic = f"$EDC/{ACCOUNT}/{REQUESTER}/{app}/REPLY/{request.text('request.id')}"
    return rig.publish(session, topic, KuraPayload(metrics=said), qos=0)


def statuses(outputs: list[Output]) -> list[int]:
    """Of the answers to held requests."""
    late = [one for one in outputs if isinstance(one, LateAnswer)]
    return [one.delivery.response.status for one in late if one.delivery.response is not None]


def asked_by_itself(rig: BrokerRig) -> tuple[Told, list[CallResult]]:
    """A request of the server's own, and what it comes to."""
    results: list[CallResult] = []

    def settle(result: CallResult) -> Reaction:
        results.append(result)
        return Reaction()

    call = DeviceCall(rig.account().id, GATEWAY, "CONF-V1", "GET", "configurations")
    assert rig.platform._broker.calls.ask(call, settle, rig.now_us)
    (request,) = told(rig.later(2))
    rig.events.clear()
    return request, results


# When they go out


def test_the_first_request_waits_two_seconds_for_the_subscription() -> None:
    rig = born(subscribes=False)
    ask(rig)
    assert not told(rig.later(1))
    rig.hears(1, f"$EDC/{ACCOUNT}/{GATEWAY}/#")
    assert not told(rig.later(0.9))
    (request,) = told(rig.later(0.1))
    assert request.topic == TOPIC


def test_the_time_counts_from_birth_and_not_from_connect() -> None:
    rig = BrokerRig()
    rig.user()
    rig.join(keep_alive_s=0)
    rig.hears(1, f"$EDC/{ACCOUNT}/{GATEWAY}/#")
    rig.later(60)
    rig.birth()
    ask(rig)
    assert not told(rig.later(1.9))
    assert [one.topic for one in told(rig.later(0.1))] == [TOPIC]


def test_later_ones_go_out_at_once() -> None:
    rig = born()
    rig.later(2)
    ask(rig)
    assert [one.topic for one in told(rig.later(0))] == [TOPIC]


def test_who_subscribes_later_is_asked_later() -> None:
    rig = born(subscribes=False)
    ask(rig)
    rig.later(10)
    rig.hears(1, f"$EDC/{ACCOUNT}/{GATEWAY}/#")
    assert [one.topic for one in told(rig.later(1))] == [TOPIC]
    assert not told(rig.later(5))


def test_that_others_hear_a_request_does_not_make_it_asked() -> None:
    """Whoever watches the whole namespace has subscribed to the topic, too."""
    rig = born(subscribes=False)
    rig.join(9, "watch", "kapua-sys", "kapua-password")
    rig.hears(9, "$EDC/#")
    ask(rig)
    assert not told(rig.later(10))
    rig.hears(1, f"$EDC/{ACCOUNT}/{GATEWAY}/#")
    assert {one.session for one in told(rig.later(1))} == {1, 9}


def test_a_device_that_is_not_there_is_not_asked() -> None:
    rig = born()
    rig.leaves()
    with pytest.raises(Refused) as refused:
        ask(rig)
    assert refused.value.status == 409


def test_a_request_that_is_rolled_back_is_not_sent() -> None:
    rig = born()
    rig.later(2)
    request = DeviceCall(rig.account().id, GATEWAY, "CONF-V1", "GET", "configurations")
    with suppress(ZeroDivisionError), rig.store.transaction():
        rig.platform._broker.calls.start(request, Caller(), 77, rig.now_us)
        raise ZeroDivisionError
    assert not told(rig.later(5))


def test_a_request_names_its_requester_and_has_an_id_that_nobody_guesses() -> None:
    rig = born()
    first, second = asked(rig), asked(rig)
    assert first.text("requester.client.id") == REQUESTER
    ids = {first.text("request.id"), second.text("request.id")}
    assert len(ids) == 2
    assert all(len(one or "") == 32 for one in ids)


# Who may answer


def test_the_reply_of_the_device_is_what_the_caller_gets_and_only_the_first() -> None:
    rig, caller = born(), Caller()
    ask(rig, caller)
    (request,) = told(rig.later(2))
    reply(rig, request, display=string("first"))
    reply(rig, request, display=string("second"))
    assert [one.text("display") for one in caller.replies] == ["first"]
    assert [stage for stage, _, _ in rig.audited()] == ["reply"]


def test_a_forged_reply_is_ignored_and_counted_whatever_it_knows() -> None:
    rig, caller = born(), Caller()
    rig.join(2, "gw-2")
    ask(rig, caller)
    (request,) = told(rig.later(2))
    reply(rig, request, session=2)
    guess = replace(request, payload=KuraPayload(metrics={"request.id": string("0" * 32)}))
    reply(rig, guess, session=2)
    reply(rig, guess)
    reply(rig, request, app="KEYS-V1")
    assert not caller.replies
    assert rig.platform._broker.calls.ignored_replies == 4
    assert [client for stage, client, _ in rig.audited() if stage == "reply"] == ["gw-2", "gw-2", GATEWAY, GATEWAY]
    reply(rig, request)
    assert len(caller.replies) == 1


def test_a_device_that_came_again_does_not_answer_for_the_connection_before() -> None:
    rig, caller = born(), Caller()
    ask(rig, caller)
    (request,) = told(rig.later(2))
    rig.join(2)
    reply(rig, request, session=2)
    assert not caller.replies


# What an answer is worth


@pytest.mark.parametrize(
    "code", [int32(202), int32(0), int64(200), string("200"), int32(-1)], ids=["202", "0", "INT64", "text", "-1"]
)
def test_an_unknown_code_is_an_error_of_the_protocol(code: Metric) -> None:
    rig = born()
    request, results = asked_by_itself(rig)
    reply(rig, request, response__code=code)
    assert [(one.end, one.is_success) for one in results] == [(CallEnd.REPLIED, False)]
    assert "error of the protocol" in rig.reasons()[0]


def test_a_reply_that_is_no_payload_is_one_too() -> None:
    rig = born()
    request, results = asked_by_itself(rig)
    rig.publish(1, f"$EDC/{ACCOUNT}/{REQUESTER}/CONF-V1/REPLY/{request.text('request.id')}", b"\xff\xff\xff", qos=0)
    assert [one.is_success for one in results] == [False]
    assert "no KuraPayload" in rig.reasons()[0]


def test_a_reply_with_200_is_a_success() -> None:
    rig = born()
    request, results = asked_by_itself(rig)
    reply(rig, request)
    assert [one.is_success for one in results] == [True]
    assert not rig.reasons()


def test_who_does_not_answer_runs_out_of_time_and_who_leaves_is_gone() -> None:
    rig = born()
    _, results = asked_by_itself(rig)
    rig.later(28)
    assert [one.end for one in results] == [CallEnd.TIMED_OUT]
    _, results = asked_by_itself(rig)
    rig.leaves()
    rig.later(0)
    assert [one.end for one in results] == [CallEnd.LEFT]


# S-43: what a signature covers


def provisioned() -> BrokerRig:
    rig = BrokerRig()
    rig.request()
    rig.go_to_account(rig.provision())
    return rig


def signature_is_good(rig: BrokerRig, request: Told, topic: str, client_id: str, body: bytes | None) -> bool:
    (certificate,) = [one for one in certificates_of(rig.registry, "AQ") if one.name == request.text("sig.alias")]
    public = x509.load_pem_x509_certificate(certificate.own_pem.encode()).public_key()
    value = request.payload.octets("sig.value")
    assert value is not None
    try:
        public.verify(value, signed_bytes(topic, client_id, request.payload.metrics, body))  # type: ignore[union-attr, call-arg]
    except InvalidSignature:
        return False
    return True


def test_a_provisioned_device_is_asked_with_a_signature() -> None:
    rig = provisioned()
    request = asked(rig, method="PUT", body=b"<xml/>")
    assert request.payload.integer("sig.time") == request.payload.timestamp_ms
    assert signature_is_good(rig, request, "CONF-V1/PUT/configurations", GATEWAY, b"<xml/>")
    assert not signature_is_good(rig, request, "CONF-V1/PUT/configurations", GATEWAY, b"<xml />")
    assert not signature_is_good(rig, request, "CONF-V1/GET/configurations", GATEWAY, b"<xml/>")
    assert not signature_is_good(rig, request, "CONF-V1/PUT/configurations", "gw-2", b"<xml/>")


def test_others_are_asked_without_one() -> None:
    assert not [name for name in asked(born()).payload.metrics if name.startswith("sig.")]


# Over REST


def http(rig: BrokerRig, method: str, path: str, token: str = "", body: object = None) -> Delivery:
    headers = (("Content-Type", "application/json"), *((("Authorization", f"Bearer {token}"),) if token else ()))
    data = b"" if body is None else json.dumps(body).encode()
    return rig.server.exchange(HttpRequest(method, "http://h", path, headers, data), Session(id=50), rig.now_us)


def test_a_call_over_rest_is_held_until_the_device_replies() -> None:
    rig = born()
    login = http(rig, "POST", "/v1/authentication/user", body={"username": "acct-admin", "password": PASSWORD})
    assert login.response is not None
    token = json.loads(bytes(login.response.body))["tokenId"]  # type: ignore[arg-type]
    path = f"/v1/{rig.account().id}/devices/{rig.device().id}/configurations"
    held = http(rig, "GET", path, token)
    assert held.ending is Ending.HELD
    (request,) = told(rig.later(2))
    assert request.topic == TOPIC
    topic = f"$EDC/{ACCOUNT}/{REQUESTER}/CONF-V1/REPLY/{request.text('request.id')}"
    body = b'<?xml version="1.0"?><esf:configurations xmlns:esf="http://eurotech.com/esf/2.0"/>'
    said = rig.publish(1, topic, KuraPayload(metrics={"response.code": int32(200)}, body=body), qos=0)
    assert statuses(said) == [200]
    late = http(rig, "GET", f"{path}?timeout=1000", token)
    assert late.ending is Ending.HELD
    assert statuses(rig.later(1)) == [500]
    gone = http(rig, "GET", path, token)
    assert gone.ending is Ending.HELD
    rig.leaves()
    assert statuses(rig.later(0)) == [409]
