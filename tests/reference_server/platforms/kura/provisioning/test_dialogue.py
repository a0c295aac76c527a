"""The dialogue of PROV-SIM1 as a device has it: material, errors, attempts, ends (S-06 to S-22, S-34, S-40)."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from fleetrig.reference_server.platforms.kura.payload.codec import encode
from fleetrig.reference_server.platforms.kura.payload.payload import (
    KuraPayload,
    Metric,
    ValueType,
    int32,
    octets,
    string,
)
from fleetrig.reference_server.platforms.kura.signing.signed_parts import signed_bytes
from fleetrig.reference_server.platforms.kura.state.accounts import set_account_settings
from fleetrig.reference_server.platforms.kura.state.certificates import (
    certificates_of,
    delete_certificate,
    set_certificate_status,
)
from fleetrig.reference_server.platforms.kura.state.device_records import CONNECTION
from fleetrig.reference_server.platforms.kura.state.provision_jobs import reset_job, stop_job
from fleetrig.reference_server.platforms.kura.state.provision_records import JobStatus, RequestStatus
from fleetrig.reference_server.platforms.kura.state.provision_requests import (
    RequestChange,
    delete_request,
    requests_for,
    update_request,
)
from fleetrig.reference_server.platforms.kura.state.records import ROOT_SCOPE, CertificateStatus, CouplingMode
from fleetrig.reference_server.platforms.kura.state.settings import Account, Settings
from fleetrig.reference_server.platforms.kura.state.users import user_by_name, users_of
from fleetrig.simulator.contract.clock import US_PER_S
from tests.conversation.talk import lines
from tests.reference_server.platforms.kura.broker_rig import (
    ACCOUNT,
    BOOTSTRAP,
    GATEWAY,
    NONCE,
    PASSWORD,
    PROVISION,
    BrokerRig,
    Told,
    start_metrics,
    told,
)

OTHER_NONCE = bytes(range(1, 17))
REPLY = f"$EDC/{PROVISION}/{GATEWAY}/PROV-SIM1/REPLY/r-1"
MATERIAL = {
    "response.code", "prov.job.id", "prov.nonce", "prov.broker-url", "prov.account-name", "prov.client-id",
    "prov.username", "prov.password", "prov.cert.chain", "prov.dm.alias", "prov.apps",
    "sig.alg", "sig.alias", "sig.time", "sig.value",
}  # fmt: skip


def waiting(settings: Settings | None = None, **draft: Any) -> BrokerRig:
    """A request, and its device that is signed in and has subscribed."""
    rig = BrokerRig() if settings is None else BrokerRig(settings=settings)
    rig.request(**draft)
    assert rig.bootstrap() == ["1 CONNACK 0"]
    rig.events.clear()
    return rig


def key(rig: BrokerRig) -> str:
    return requests_for(rig.registry, GATEWAY)[0].activation_key


def refusal(said: list[Told]) -> tuple[int | None, str | None, Any]:
    """(response.code, prov.error, prov.retry) of the one reply."""
    (reply,) = said
    retry = reply.payload.metrics["prov.retry"]
    assert retry.type is ValueType.BOOL
    return reply.code, reply.text("prov.error"), retry.value


def disable(rig: BrokerRig, status: RequestStatus = RequestStatus.DISABLED) -> None:
    request = requests_for(rig.registry, GATEWAY)[0]
    change = RequestChange(status, request.activates_us, request.expires_us, request.job.retry_max_attempts, False)
    update_request(rig.registry, request, change, request.optlock, rig.now_us, "admin")


# Material


def test_a_device_that_asks_gets_everything_it_needs() -> None:
    rig = waiting()
    (reply,) = rig.ask()
    assert (reply.session, reply.topic, reply.code) == (1, REPLY, 200)
    assert set(reply.payload.metrics) == MATERIAL
    assert reply.payload.metrics["response.code"] == int32(200)
    assert reply.payload.metrics["prov.apps"] == int32(0)
    assert reply.payload.octets("prov.nonce") == NONCE
    assert reply.text("prov.job.id") == rig.job().id
    assert (reply.text("prov.account-name"), reply.text("prov.client-id")) == (ACCOUNT, GATEWAY)
    assert reply.text("prov.broker-url") == rig.registry.target_broker_url(is_secure=False)
    assert rig.steps() == ["job_started", "job_running", "credentials_created", "job_conf_updating"]
    assert (rig.job().status, rig.job().start_us) == (JobStatus.CONF_UPDATING, rig.now_us)


def test_the_reply_is_signed_by_the_leaf_of_its_chain() -> None:
    rig = waiting()
    (reply,) = rig.ask()
    chain = x509.load_pem_x509_certificates((reply.text("prov.cert.chain") or "").encode())
    for issued, issuer in pairwise(chain):
        issued.verify_directly_issued_by(issuer)
    chain[-1].verify_directly_issued_by(chain[-1])
    assert len(chain) == 3
    assert reply.text("sig.alias") == reply.text("prov.dm.alias") == "dm-1"
    public, value = chain[0].public_key(), reply.payload.octets("sig.value")
    assert value is not None
    covered = signed_bytes("PROV-SIM1/REPLY/r-1", GATEWAY, reply.payload.metrics, reply.payload.body)
    public.verify(value, covered)  # type: ignore[union-attr, call-arg]


def test_the_body_has_the_configuration_of_the_target_in_the_form_of_conf_v1() -> None:
    rig = waiting()
    (reply,) = rig.ask()
    body = (reply.payload.body or b"").decode()
    assert body.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<esf:configurations xmlns:esf=')
    for named in ("broker-url", "topic.context.account-name", "client-id", "username", "password"):
        assert f'name="{named}"' in body
    assert f"<esf:value>{reply.text('prov.username')}</esf:value>" in body
    assert 'type="Password"' in body


def test_the_user_that_it_gets_may_connect_to_its_account() -> None:
    rig = waiting()
    (reply,) = rig.ask()
    user = user_by_name(rig.registry, reply.text("prov.username") or "")
    assert user is not None
    assert (user.scope_id, user.user_type) == (rig.account().id, "DEVICE")
    rig.confirm()
    rig.leaves()
    assert rig.join(2, GATEWAY, reply.text("prov.username"), reply.text("prov.password")) == ["2 CONNACK 0"]


def test_what_is_secret_never_comes_into_the_trace() -> None:
    rig = waiting(generate_activation_key=True)
    (reply,) = rig.ask(key=key(rig))
    secrets = (reply.text("prov.password") or "?", key(rig), PASSWORD)
    for secret in secrets:
        assert secret not in rig.secrets.hide(f"x {secret} y")
    assert not [record for record in rig.audited() if any(secret in repr(record) for secret in secrets)]


def test_a_named_broker_is_where_devices_go() -> None:
    accounts = (Account(ACCOUNT, "acct-admin", PASSWORD),)
    rig = waiting(Settings(accounts=accounts, target_broker_url="mqtts://broker.example:8883"))
    (reply,) = rig.ask()
    assert reply.text("prov.broker-url") == "mqtts://broker.example:8883"


@pytest.mark.parametrize(("is_secure", "url"), [(False, "mqtt://h:1"), (True, "mqtts://h:2")])
def test_who_wants_a_secure_url_gets_one(is_secure: bool, url: str) -> None:
    rig = waiting(provision_secure_url=is_secure)
    rig.platform.listens_at({"mqtt": "mqtt://h:1", "mqtts": "mqtts://h:2", "http": "http://h:3"})
    assert rig.ask()[0].text("prov.broker-url") == url


def test_a_device_that_sends_a_certificate_request_gets_a_certificate() -> None:
    rig = waiting()
    own = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "anything")])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(own, None).public_bytes(Encoding.PEM)
    (reply,) = rig.ask(body=csr)
    certificate = x509.load_pem_x509_certificate((reply.text("prov.device.cert") or "").encode())
    assert certificate.public_key() == own.public_key()
    assert certificate.subject.rfc4514_string() == f"CN={GATEWAY}"


@pytest.mark.parametrize("deed", ["revoked", "deleted"])
def test_without_an_authority_for_devices_no_certificate_is_issued(deed: str) -> None:
    rig = waiting()
    (authority,) = [one for one in certificates_of(rig.registry, ROOT_SCOPE) if one.name == "device-ca"]
    if deed == "deleted":
        delete_certificate(rig.registry, authority)
    else:
        set_certificate_status(rig.registry, authority, CertificateStatus.REVOKED, authority.optlock, rig.now_us, "")
    own = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(own, None)
    assert refusal(rig.ask(body=csr.public_bytes(Encoding.PEM))) == (500, "INTERNAL", True)
    assert rig.job().status is JobStatus.CREATED
    assert rig.ask()[0].code == 200


def test_a_key_that_is_too_long_to_be_one_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    rig, learnt = waiting(), list[str | None]()
    monkeypatch.setattr(rig.platform.registry, "learn", lambda kind, secret: learnt.append(secret))
    assert refusal(rig.ask(key="k" * 1_025)) == (400, "MALFORMED", False)
    assert "k" * 1_025 not in learnt
    rig.ask(key="mistyped")
    assert "mistyped" in learnt


def test_a_body_that_is_no_certificate_request_makes_nothing() -> None:
    rig = waiting()
    assert refusal(rig.ask(body=b"-----BEGIN CERTIFICATE REQUEST-----\nrubbish")) == (400, "MALFORMED", False)
    assert rig.job().status is JobStatus.CREATED
    assert rig.job().issued is None
    assert rig.ask()[0].code == 200


def test_without_a_certificate_to_sign_with_nothing_is_issued() -> None:
    rig = waiting()
    (certificate,) = [one for one in certificates_of(rig.registry, "AQ") if one.name == "dm-1"]
    set_certificate_status(rig.registry, certificate, CertificateStatus.REVOKED, 1, rig.now_us, "admin")
    assert refusal(rig.ask()) == (500, "INTERNAL", True)
    assert "create one" in rig.reasons()[-1]
    assert rig.job().status is JobStatus.CREATED


# Who asks


def test_a_request_without_an_id_gets_no_reply_and_keeps_the_session() -> None:
    rig = waiting()
    assert not rig.ask(without=["request.id"])
    assert not rig.ask(request__id=int32(5))
    assert not rig.ask(request_id="")
    assert not rig.ask(request_id="a/b")
    assert not rig.ask(request_id="a+")
    assert [stage for stage, _, _ in rig.audited()] == ["request"] * 5
    assert rig.ask()[0].code == 200


def test_the_token_of_the_call_service_stands_for_the_client_id() -> None:
    rig = waiting()
    (reply,) = rig.ask(requester__client__id=string("#client-id"))
    assert (reply.topic, reply.code) == (REPLY, 200)


def test_who_names_another_device_is_refused_on_its_own_topic() -> None:
    rig = waiting()
    rig.request("gw-2")
    rig.bootstrap(2, "gw-2")
    said = rig.ask(requester__client__id=string("gw-2"))
    assert refusal(said) == (400, "CLIENT_ID_MISMATCH", False)
    assert [(one.session, one.topic) for one in said] == [(1, REPLY)]
    assert rig.job().status is JobStatus.CREATED


MALFORMED = {
    "no requester": {"without": ["requester.client.id"]},
    "no profile": {"without": ["prov.profile"]},
    "another profile": {"prov__profile": string("PROV-V3")},
    "no attempt": {"without": ["prov.attempt"]},
    "attempt 0": {"prov__attempt": int32(0)},
    "attempt of another type": {"prov__attempt": string("1")},
    "attempt as INT64": {"prov__attempt": Metric(ValueType.INT64, 1)},
    "no nonce": {"without": ["prov.nonce"]},
    "a short nonce": {"nonce": bytes(15)},
    "a long nonce": {"nonce": bytes(65)},
    "a nonce as text": {"prov__nonce": string("0123456789abcdef")},
    "a key that is no text": {"activation__key": octets(b"key")},
    "a huge body": {"body": bytes(65_537)},
}


@pytest.mark.parametrize("case", MALFORMED)
def test_what_is_malformed_is_refused_and_changes_nothing(case: str) -> None:
    rig = waiting()
    assert refusal(rig.ask(**MALFORMED[case])) == (400, "MALFORMED", False)  # type: ignore[arg-type]
    assert rig.job().status is JobStatus.CREATED


@pytest.mark.parametrize("nonce", [bytes(16), bytes(64)])
def test_nonces_of_16_to_64_bytes_are_good(nonce: bytes) -> None:
    assert waiting().ask(nonce=nonce)[0].code == 200


@pytest.mark.parametrize("what", ["cancel", "request/more", ""])
def test_there_are_requests_and_confirms_only(what: str) -> None:
    rig = waiting()
    said = rig.post(1, GATEWAY, what, start_metrics(GATEWAY))
    assert refusal(said) == (400, "MALFORMED", False)


def test_json_is_ignored_and_the_reason_says_so() -> None:
    rig = waiting()
    topic = f"$EDC/{PROVISION}/{GATEWAY}/PROV-SIM1/POST/request"
    assert lines(rig.publish(1, topic, b' {"metrics":{"request.id":"r-1"}}')) == ["1 PUBACK"]
    assert rig.reasons() == ["JSON is not accepted here: provisioning speaks the protobuf encoding only"]


def test_gzip_and_plain_are_the_same() -> None:
    rig = waiting()
    metrics = {**start_metrics(GATEWAY), "model_id": string("M" * 500)}
    data = encode(KuraPayload(metrics=metrics), gzip=True)
    assert data.startswith(b"\x1f\x8b")
    topic = f"$EDC/{PROVISION}/{GATEWAY}/PROV-SIM1/POST/request"
    assert [one.code for one in told(rig.publish(1, topic, data))] == [200]


def test_who_has_not_subscribed_hears_nothing_and_the_trace_says_why() -> None:
    rig = BrokerRig()
    rig.request()
    rig.join(user=BOOTSTRAP)
    assert not rig.ask()
    assert rig.reasons() == ["nobody has subscribed to the reply topic: subscribe before asking"]


def test_a_gateway_that_hears_all_of_its_control_topic_gets_its_echo_and_one_reply() -> None:
    rig = BrokerRig()
    rig.request()
    rig.join(user=BOOTSTRAP)
    rig.hears(1, f"$EDC/{PROVISION}/{GATEWAY}/#")
    echo, reply = rig.ask()
    assert (echo.topic, reply.topic) == (f"$EDC/{PROVISION}/{GATEWAY}/PROV-SIM1/POST/request", REPLY)


def test_another_application_id_is_a_setting_with_aliases() -> None:
    accounts = (Account(ACCOUNT, "acct-admin", PASSWORD),)
    rig = BrokerRig(settings=Settings(accounts=accounts, provision_app_id="P-1", provision_app_aliases=("P-2",)))
    rig.request()
    rig.join(user=BOOTSTRAP)
    rig.hears(1, f"$EDC/{PROVISION}/{GATEWAY}/+/REPLY/#")
    for app_id, replies in (("PROV-SIM1", 0), ("P-2", 1), ("P-1", 1)):
        topic = f"$EDC/{PROVISION}/{GATEWAY}/{app_id}/POST/request"
        said = told(rig.publish(1, topic, KuraPayload(metrics=start_metrics(GATEWAY))))
        assert [one.topic for one in said] == [f"$EDC/{PROVISION}/{GATEWAY}/{app_id}/REPLY/r-1"] * replies


# Keys, dates and states


def test_a_key_that_was_generated_has_to_be_shown() -> None:
    rig = waiting(generate_activation_key=True)
    assert refusal(rig.ask()) == (400, "BAD_ACTIVATION_KEY", False)
    assert refusal(rig.ask(key="")) == (400, "BAD_ACTIVATION_KEY", False)
    assert refusal(rig.ask(key=key(rig)[:-1])) == (400, "BAD_ACTIVATION_KEY", False)
    assert refusal(rig.ask(key=key(rig).swapcase())) == (400, "BAD_ACTIVATION_KEY", False)
    assert rig.job().status is JobStatus.CREATED
    rig.events.clear()
    assert rig.ask(key=key(rig))[0].code == 200
    assert rig.steps()[0] == "activation_key_verified"


def test_a_key_that_nobody_has_asked_for_is_not_looked_at() -> None:
    rig = waiting()
    assert rig.ask(key="anything ä")[0].code == 200


def test_the_key_is_asked_for_again_with_the_same_nonce() -> None:
    rig = waiting(generate_activation_key=True)
    rig.ask(key=key(rig))
    assert refusal(rig.ask()) == (400, "BAD_ACTIVATION_KEY", False)


def test_a_request_becomes_active_in_its_time() -> None:
    rig = BrokerRig()
    rig.request(activates_us=rig.now_us + 60 * US_PER_S)
    rig.bootstrap(keep_alive_s=0)
    assert refusal(rig.ask()) == (404, "NOT_ACTIVE_YET", True)
    rig.later(59)
    assert refusal(rig.ask()) == (404, "NOT_ACTIVE_YET", True)
    rig.later(1)
    assert rig.ask()[0].code == 200


def test_a_request_expires_while_its_device_is_there() -> None:
    rig = BrokerRig()
    rig.request(expires_us=rig.now_us + 60 * US_PER_S)
    rig.bootstrap(keep_alive_s=0)
    rig.events.clear()
    rig.later(60)
    assert rig.job().status is JobStatus.ABANDONED
    assert rig.steps() == ["job_abandoned"]
    assert refusal(rig.ask()) == (404, "EXPIRED", False)
    rig.leaves()
    assert rig.bootstrap(2) == ["2 CONNACK 5", "2 closed"]


def test_a_request_that_is_disabled_gives_nothing_out() -> None:
    rig = waiting()
    disable(rig)
    assert refusal(rig.ask()) == (404, "DISABLED", True)
    assert rig.job().status is JobStatus.SKIPPED
    assert rig.job().issued is None
    assert rig.bootstrap(2) == ["2 CONNACK 5", "2 closed"]


def test_a_request_that_is_disabled_gives_nothing_out_twice_either() -> None:
    rig = waiting()
    rig.ask()
    disable(rig)
    assert refusal(rig.ask()) == (404, "DISABLED", True)
    disable(rig, RequestStatus.ENABLED)
    assert rig.ask()[0].code == 200


def test_with_strict_errors_who_has_no_key_learns_nothing_of_the_request() -> None:
    accounts = (Account(ACCOUNT, "acct-admin", PASSWORD),)
    rig = waiting(Settings(accounts=accounts, strict_errors=True), generate_activation_key=True)
    disable(rig)
    assert refusal(rig.ask(key="wrong")) == (404, "NO_REQUEST", True)
    assert refusal(rig.ask(key=key(rig))) == (404, "DISABLED", True)


def test_with_strict_errors_a_wrong_key_looks_like_no_request() -> None:
    accounts = (Account(ACCOUNT, "acct-admin", PASSWORD),)
    rig = waiting(Settings(accounts=accounts, strict_errors=True), generate_activation_key=True)
    (wrong,) = rig.ask(key="wrong")
    assert refusal([wrong]) == (404, "NO_REQUEST", True)
    with rig.store.transaction():
        delete_request(rig.registry, requests_for(rig.registry, GATEWAY)[0])
    (none,) = rig.ask(key="wrong")
    assert none.data == wrong.data


def test_a_request_that_was_replaced_is_no_longer_there() -> None:
    rig = waiting(generate_activation_key=True)
    old = key(rig)
    rig.request(generate_activation_key=True, overwrite_if_duplicate=True)
    assert refusal(rig.ask(key=old)) == (404, "NO_REQUEST", True)
    rig.bootstrap(2)
    assert refusal(rig.ask(2, key=old)) == (400, "BAD_ACTIVATION_KEY", False)
    assert rig.ask(2, key=key(rig))[0].code == 200


# Once and again


def test_the_same_nonce_gets_the_same_bytes_and_one_user() -> None:
    rig = waiting()
    (first,) = rig.ask()
    (second,) = rig.ask(request_id="r-9")
    assert second.topic.endswith("/r-9")
    assert second.data == first.data
    users = [name for name in _users(rig) if name.startswith(GATEWAY)]
    assert users == [first.text("prov.username")]
    assert rig.job().retry_count == 0


def test_the_same_nonce_gets_the_same_bytes_on_another_connection() -> None:
    rig = waiting()
    (first,) = rig.ask()
    rig.vanishes()
    rig.bootstrap(2)
    assert rig.ask(2)[0].data == first.data
    assert rig.job().retry_count == 0
    assert refusal(rig.ask(2, nonce=OTHER_NONCE))[1] == "BUSY"


def test_another_nonce_on_the_same_connection_is_told_to_wait() -> None:
    rig = waiting()
    rig.ask()
    (busy,) = rig.ask(nonce=OTHER_NONCE)
    assert refusal([busy]) == (500, "BUSY", True)
    after = busy.payload.metrics["prov.retry-after"]
    assert after.type is ValueType.INT32
    assert int(after.value) > 0
    assert rig.job().retry_count == 0


def test_another_nonce_on_another_connection_begins_anew_and_the_old_user_is_void() -> None:
    rig = waiting()
    (first,) = rig.ask()
    rig.vanishes()
    rig.bootstrap(2)
    rig.events.clear()
    (second,) = rig.ask(2, nonce=OTHER_NONCE)
    assert (second.code, rig.job().retry_count) == (200, 1)
    assert rig.steps() == ["job_running", "credentials_created", "job_conf_updating"]
    assert second.text("prov.username") != first.text("prov.username")
    assert rig.join(3, GATEWAY, first.text("prov.username"), first.text("prov.password"))[0] == "3 CONNACK 4"


def test_a_device_that_takes_its_own_connection_over_begins_anew() -> None:
    rig = waiting()
    rig.ask()
    assert rig.bootstrap(2) == ["1 closed", "2 CONNACK 0"]
    assert rig.ask(2, nonce=OTHER_NONCE)[0].code == 200
    assert rig.job().retry_count == 1


def test_after_three_runs_that_failed_the_job_has_failed() -> None:
    rig = waiting(retry_max_attempts=2)
    for run in (1, 2, 3):
        (material,) = rig.ask(nonce=bytes([run]) * 16)
        assert material.code == 200
        assert rig.job().retry_count == run - 1
        (said,) = rig.confirm(result="FAILED")
        if run < 3:
            assert (said.code, rig.job().status) == (200, JobStatus.RUNNING)
        else:
            assert refusal([said]) == (400, "ATTEMPTS_EXHAUSTED", False)
    assert rig.job().status is JobStatus.FAILED
    assert "job_failed" in rig.steps()
    assert refusal(rig.ask(nonce=bytes([4]) * 16)) == (400, "ATTEMPTS_EXHAUSTED", False)
    assert refusal(rig.confirm()) == (400, "ATTEMPTS_EXHAUSTED", False)


def test_lost_runs_count_too() -> None:
    rig = BrokerRig()
    rig.request(retry_max_attempts=1)
    for session, code in ((1, 200), (2, 200), (3, 400)):
        rig.bootstrap(session)
        assert rig.ask(session, nonce=bytes([session]) * 16)[0].code == code
        rig.vanishes(session)
    assert rig.job().status is JobStatus.FAILED


def test_a_run_that_failed_is_followed_by_one_on_the_same_connection() -> None:
    rig = waiting()
    (first,) = rig.ask()
    rig.confirm(result="FAILED")
    (second,) = rig.ask(nonce=NONCE)
    assert second.code == 200
    assert second.data != first.data
    assert rig.job().retry_count == 1


# Confirm


def test_a_confirm_is_answered_once_and_again_alike() -> None:
    rig = waiting()
    rig.ask()
    (first,) = rig.confirm()
    assert (first.code, first.text("prov.job.id"), rig.job().status) == (200, rig.job().id, JobStatus.CONF_UPDATED)
    (again,) = rig.confirm(request_id="r-3")
    assert again.topic.endswith("/r-3")
    assert again.data == first.data


def test_a_confirm_is_taken_on_another_connection() -> None:
    rig = waiting()
    rig.ask()
    rig.vanishes()
    rig.bootstrap(2)
    assert rig.confirm(2)[0].code == 200
    assert rig.job().retry_count == 0


def test_a_confirm_names_the_job_and_comes_after_the_material() -> None:
    rig = waiting()
    assert refusal(rig.confirm()) == (400, "MALFORMED", False)
    rig.ask()
    assert refusal(rig.confirm(job_id="another")) == (400, "MALFORMED", False)
    assert refusal(rig.confirm(result="DONE")) == (400, "MALFORMED", False)
    assert rig.job().status is JobStatus.CONF_UPDATING


def test_no_reply_carries_the_id_of_the_request() -> None:
    """A gateway might take it for a request and answer it (2.5)."""
    rig = waiting()
    for reply in (*rig.ask(), *rig.ask(nonce=OTHER_NONCE), *rig.confirm()):
        assert "request.id" not in reply.payload.metrics


# Ends


def test_the_first_birth_in_the_account_completes_the_job() -> None:
    rig = BrokerRig()
    rig.request()
    material = rig.provision()
    rig.go_to_account(material)
    assert rig.job().status is JobStatus.COMPLETED
    assert rig.resources() == ["BIRTH", "PROVISIONED"]
    assert rig.device().provisioned_us == rig.now_us
    assert rig.bootstrap(3) == ["3 CONNACK 5", "3 closed"]


def test_an_account_that_takes_no_devices_of_its_own_takes_those_that_were_asked_for() -> None:
    rig = BrokerRig()
    set_account_settings(
        rig.registry,
        rig.account(),
        replace(rig.account().settings, infinite_devices=False, allows_unprovisioned=False),
    )
    rig.request()
    rig.go_to_account(rig.provision())
    assert rig.job().status is JobStatus.COMPLETED
    rig.user()
    rig.join(2, "gw-2")
    rig.birth(2, "gw-2")
    assert not rig.has_device("gw-2")


def test_a_connect_alone_does_not_complete_it_nor_does_another_user() -> None:
    rig = BrokerRig()
    rig.user()
    rig.request()
    material = rig.provision()
    rig.join(2)
    rig.birth(2)
    assert rig.job().status is JobStatus.CONF_UPDATED
    rig.leaves(2)
    rig.join(3, GATEWAY, material.text("prov.username"), material.text("prov.password"))
    assert rig.job().status is JobStatus.CONF_UPDATED
    rig.birth(3)
    assert rig.job().status is JobStatus.COMPLETED


def test_a_birth_before_the_confirm_does_not_complete_it() -> None:
    rig = waiting()
    (material,) = rig.ask()
    rig.go_to_account(material, 2)
    assert rig.job().status is JobStatus.CONF_UPDATING


def test_without_a_birth_the_job_fails_and_the_bootstrap_user_comes_in() -> None:
    rig = BrokerRig()
    rig.request()
    material = rig.provision()
    rig.events.clear()
    rig.later(299)
    assert rig.job().status is JobStatus.CONF_UPDATED
    rig.later(1)
    assert rig.job().status is JobStatus.FAILED
    assert rig.steps() == ["job_failed"]
    assert rig.join(2, GATEWAY, material.text("prov.username"), material.text("prov.password"))[0] == "2 CONNACK 4"
    assert rig.bootstrap(3) == ["3 CONNACK 0"]


def test_a_device_that_says_nothing_more_abandons_its_job() -> None:
    rig = waiting()
    rig.ask()
    rig.later(300)
    assert rig.job().status is JobStatus.ABANDONED


def test_a_job_that_was_completed_answers_who_is_still_there() -> None:
    rig = waiting()
    (material,) = rig.ask()
    rig.confirm()
    rig.go_to_account(material, 2)
    assert refusal(rig.ask(nonce=OTHER_NONCE)) == (400, "ALREADY_COMPLETED", False)
    assert rig.confirm()[0].code == 200


def test_a_new_request_lets_the_device_in_again() -> None:
    rig = BrokerRig()
    rig.request()
    rig.go_to_account(rig.provision())
    rig.leaves()
    rig.request(overwrite_if_duplicate=True)
    second = rig.provision()
    assert second.code == 200
    rig.go_to_account(second)
    assert rig.job().status is JobStatus.COMPLETED


def test_under_strict_coupling_an_operator_permits_the_user_of_another_provisioning() -> None:
    rig = BrokerRig()
    set_account_settings(rig.registry, rig.account(), replace(rig.account().settings, coupling=CouplingMode.STRICT))
    rig.request()
    rig.go_to_account(rig.provision())
    rig.leaves()
    rig.request(overwrite_if_duplicate=True)
    material = rig.provision()
    user, password = material.text("prov.username"), material.text("prov.password")
    assert rig.join(2, GATEWAY, user, password) == ["2 CONNACK 5", "2 closed"]
    rig.store.put(CONNECTION, rig.account().id, replace(rig.connection(), allow_user_change=True))
    rig.go_to_account(material)
    assert rig.job().status is JobStatus.COMPLETED


def test_tight_credentials_bind_the_client_id_to_the_newest_user() -> None:
    rig = BrokerRig()
    rig.user()
    rig.request(credentials_tight=True)
    first = rig.provision()
    assert rig.join(2) == ["2 CONNACK 5", "2 closed"]
    rig.go_to_account(first)
    rig.leaves()
    rig.request(credentials_tight=True, overwrite_if_duplicate=True)
    rig.go_to_account(rig.provision())
    rig.leaves()
    assert rig.join(3, GATEWAY, first.text("prov.username"), first.text("prov.password")) == ["3 CONNACK 5", "3 closed"]


def test_an_administrator_stops_a_job_and_the_device_is_told() -> None:
    rig = waiting()
    rig.ask()
    with rig.store.transaction():
        stop_job(rig.registry, requests_for(rig.registry, GATEWAY)[0], rig.now_us)
    rig.events.clear()
    said = told(rig.later(0))
    assert [one.topic for one in said] == [f"$EDC/{PROVISION}/{GATEWAY}/PROV-SIM1/EXEC/abort"]
    assert rig.job().status is JobStatus.STOPPED
    assert rig.steps() == ["job_stopped"]
    assert refusal(rig.ask()) == (400, "STOPPED", False)
    assert refusal(rig.confirm()) == (400, "STOPPED", False)


def test_a_job_that_was_reset_begins_again() -> None:
    rig = waiting(retry_max_attempts=0)
    rig.ask()
    rig.confirm(result="FAILED")
    with rig.store.transaction():
        reset_job(rig.registry, requests_for(rig.registry, GATEWAY)[0], rig.now_us)
    assert rig.ask(nonce=OTHER_NONCE)[0].code == 200


# A restart in each state


def restarted(rig: BrokerRig) -> None:
    rig.start()
    assert rig.bootstrap(5) == ["5 CONNACK 0"]


def test_material_and_permission_outlive_the_server() -> None:
    rig = waiting()
    (material,) = rig.ask()
    restarted(rig)
    assert rig.ask(5)[0].data == material.data
    (permission,) = rig.confirm(5)
    restarted(rig)
    assert rig.ask(5)[0].data == material.data
    assert rig.confirm(5)[0].data == permission.data
    rig.leaves(5)
    rig.go_to_account(material)
    rig.start()
    assert rig.job().status is JobStatus.COMPLETED
    assert rig.bootstrap(6) == ["6 CONNACK 5", "6 closed"]


def test_a_run_of_an_earlier_process_is_restarted_by_another_nonce() -> None:
    rig = waiting()
    rig.ask()
    restarted(rig)
    assert rig.ask(5, nonce=OTHER_NONCE)[0].code == 200
    assert rig.job().retry_count == 1


def test_time_goes_on_for_jobs_of_an_earlier_process() -> None:
    rig = BrokerRig()
    rig.request()
    rig.provision()
    rig.start()
    rig.later(300)
    assert rig.job().status is JobStatus.FAILED


def _users(rig: BrokerRig) -> list[str]:
    return [user.name for user in users_of(rig.registry, rig.account().id)]


def test_an_activation_key_is_masked_though_it_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = waiting(generate_activation_key=True)
    learnt: list[tuple[str, str | None]] = []
    monkeypatch.setattr(rig.platform.registry, "learn", lambda kind, secret: learnt.append((kind, secret)))
    rig.ask(key="a-mistyped-one")

    assert ("activation-key", "a-mistyped-one") in learnt
