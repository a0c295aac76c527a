"""Tenants and their trusted authorities over the management API. What is made of odd values is what Hono 2.7 makes."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fleetrig.reference_server.platforms.hono.state.registry import Notice, NoticeKind
from fleetrig.reference_server.platforms.hono.state.tenants import anchors_of, tenant_of, tenants_trusting
from tests.reference_server.platforms.hono.registry_rig import (
    RegistryRig,
    authority,
    base64_of,
    document_of,
    name_of,
    public_key_of,
    told,
)

INVALID = (400, "request does not contain a valid Tenant object")
KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 1024)
ED_KEY = ed25519.Ed25519PrivateKey.generate()
CERTIFICATE = authority(KEY, name_of(O="ACME", OU="iot", CN="devices"))
BY_CERTIFICATE = {"cert": base64_of(CERTIFICATE)}
BY_KEY = {
    "subject-dn": "CN=x",
    "public-key": public_key_of(KEY),
    "algorithm": "EC",
    "not-before": "2020-01-01T00:00:00Z",
    "not-after": "2040-01-01T00:00:00Z",
}
FLAGS_OFF = {"auto-provisioning-enabled": False, "auto-provision-as-gateway": False}
DAYS_30 = {"mode": "days", "no-of-days": 30}
SINCE = "2024-01-01T00:00:00Z"


@pytest.fixture
def rig() -> RegistryRig:
    return RegistryRig()


def shown(rig: RegistryRig, document: Any) -> Any:
    rig.done("POST", "/v1/tenants/t", document)
    return rig.shown("/v1/tenants/t")


def shown_anchor(rig: RegistryRig, anchor: Any) -> dict[str, Any]:
    (found,) = shown(rig, {"trusted-ca": [anchor]})["trusted-ca"]
    assert isinstance(found, dict)
    return found


def test_a_tenant_without_a_body_gets_an_id(rig: RegistryRig) -> None:
    answer = rig.ask("POST", "/v1/tenants")
    named = document_of(answer)["id"]
    assert answer.response.status == 201
    assert answer.response.header("location") == f"/v1/tenants/{named}"
    assert answer.changed == f"tenant {named} created"
    read = rig.send("GET", f"/v1/tenants/{named}")
    assert (document_of(read), read.response.header("etag")) == ({}, answer.response.header("etag"))


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"enabled": None}, {}),
        ({"enabled": 0}, {"enabled": False}),
        ({"enabled": " TRUE "}, {"enabled": True}),
        ({"enabled": ""}, {}),
        ({"alias": 5}, {"alias": "5"}),
        ({"ext": {}, "defaults": None}, {}),
        ({"ext": {"a": None, "b": [1.5]}}, {"ext": {"a": None, "b": [1.5]}}),
        ({"minimum-message-size": "12"}, {"minimum-message-size": 12}),
        ({"minimum-message-size": 0}, {}),
        ({"minimum-message-size": 2.9}, {"minimum-message-size": 2}),
        ({"registration-limits": {}}, {"registration-limits": {"max-devices": -1, "max-credentials-per-device": -1}}),
        ({"resource-limits": {}}, {"resource-limits": {}}),
        ({"resource-limits": {"max-connections": -1, "max-ttl": 5}}, {"resource-limits": {"max-ttl": 5}}),
        (
            {"resource-limits": {"max-ttl-telemetry-qos0": 5}},
            {"resource-limits": {"max-ttl-telemetry-qos0": 5, "maxTtlTelemetryQoS0": 5}},
        ),
        (
            {"resource-limits": {"data-volume": {"effective-since": SINCE}}},
            {"resource-limits": {"data-volume": {"effective-since": SINCE, "period": {"mode": "monthly"}}}},
        ),
        (
            {
                "resource-limits": {
                    "connection-duration": {"effective-since": SINCE, "period": DAYS_30, "max-minutes": 9}
                }
            },
            {
                "resource-limits": {
                    "connection-duration": {"effective-since": SINCE, "period": DAYS_30, "max-minutes": 9}
                }
            },
        ),
        ({"tracing": {}}, {"tracing": {"sampling-mode": None}}),
        (
            {"tracing": {"sampling-mode": "ALL", "sampling-mode-per-auth-id": {"a": 2}}},
            {"tracing": {"sampling-mode": "all", "sampling-mode-per-auth-id": {"a": "none"}}},
        ),
        (
            {"adapters": [{"type": "hono-http"}]},
            {"adapters": [{"type": "hono-http", "enabled": False, "device-authentication-required": True}]},
        ),
        ({"trusted-ca": []}, {}),
        ({"adapters": None, "trusted-ca": None, "trust-anchor-group": None, "tracing": None}, {}),
    ],
)
def test_what_is_shown_of_what_was_given(rig: RegistryRig, document: Any, expected: Any) -> None:
    assert shown(rig, document) == expected
    assert rig.done("PUT", "/v1/tenants/t", expected)
    assert rig.shown("/v1/tenants/t") == expected


@pytest.mark.parametrize(
    "document",
    [
        {"foo": 1},
        {"enabled": "yes"},
        {"enabled": 1.5},
        {"enabled": []},
        {"alias": None},
        {"alias": "My_Alias"},
        {"alias": ""},
        {"ext": []},
        {"ext": "x"},
        {"minimum-message-size": -1},
        {"minimum-message-size": None},
        {"minimum-message-size": True},
        {"minimum-message-size": 2**31},
        {"registration-limits": {"max-devices": -2}},
        {"registration-limits": {"x": 1}},
        {"resource-limits": {"max-connections": -2}},
        {"resource-limits": {"data-volume": {"max-bytes": 1}}},
        {"resource-limits": {"data-volume": {"effective-since": SINCE, "period": {}}}},
        {"resource-limits": {"data-volume": {"effective-since": SINCE, "period": {"mode": "weekly"}}}},
        {"tracing": {"sampling-mode": "some"}},
        {"adapters": []},
        {"adapters": [{"enabled": True}]},
        {"adapters": ["hono-http"]},
        {"adapters": [{"type": "a"}, {"type": "a"}]},
        {"adapters": [{"type": "a", "foo": 1}]},
        {"trust-anchor-group": []},
    ],
)
def test_what_is_no_tenant(rig: RegistryRig, document: Any) -> None:
    answer = rig.ask("POST", "/v1/tenants/t", document)
    assert told(answer) == INVALID
    assert rig.status("/v1/tenants/t") == 404


def test_the_reason_names_the_mistake_and_the_nearest_word(rig: RegistryRig) -> None:
    answer = rig.ask("POST", "/v1/tenants/t", {"trusted-cas": []})
    assert "no member 'trusted-cas'; did you mean 'trusted-ca'?" in answer.reason
    answer = rig.ask("POST", "/v1/tenants/t", {"adapters": [{"type": "a", "enabled": "on"}]})
    assert "adapters[0].enabled: expected true or false, got 'on'" in answer.reason


def test_an_authority_by_its_certificate(rig: RegistryRig) -> None:
    found = shown_anchor(rig, {**BY_CERTIFICATE, "subject-dn": "CN=ignored", "not-before": SINCE})
    (anchor,) = anchors_of(rig.registry, "t")
    assert found == {
        "id": anchor.id,
        "subject-dn": "CN=devices,OU=iot,O=ACME",
        "subject-dn-bytes": b64encode(CERTIFICATE.subject.public_bytes()).decode(),
        "public-key": public_key_of(KEY),
        "algorithm": "EC",
        "not-before": "2026-01-01T00:00:00Z",
        "not-after": "2034-12-31T23:59:59Z",
        **FLAGS_OFF,
    }
    assert anchor.public_key_der == KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert anchor.is_valid_at(anchor.not_before_us)
    assert anchor.is_valid_at(anchor.not_after_us)
    assert not anchor.is_valid_at(anchor.not_after_us + 1)
    assert not anchor.is_valid_at(anchor.not_before_us - 1)


def test_an_authority_by_its_key(rig: RegistryRig) -> None:
    given = {**BY_KEY, "subject-dn": "cn=x, o=y", "not-before": "2020-01-01T00:00:00+02:00", "id": "mine"}
    assert shown_anchor(rig, given) == {
        **BY_KEY,
        "id": "mine",
        "subject-dn": "CN=x,O=y",
        "not-before": "2019-12-31T22:00:00Z",
        **FLAGS_OFF,
    }


@pytest.mark.parametrize(
    ("key", "algorithm", "shown_as"),
    [(RSA_KEY, None, None), (RSA_KEY, "rsa", "rsa"), (ED_KEY, "EdDSA", "EdDSA"), (ED_KEY, "Ed25519", "Ed25519")],
)
def test_kinds_of_keys(rig: RegistryRig, key: Any, algorithm: str | None, shown_as: str | None) -> None:
    found = shown_anchor(rig, {**BY_KEY, "public-key": public_key_of(key), "algorithm": algorithm})
    assert found.get("algorithm") == shown_as


def test_an_authority_is_read_from_pem_and_with_bytes_behind_it_as_java_does(rig: RegistryRig) -> None:
    der, pem = CERTIFICATE.public_bytes(Encoding.DER), CERTIFICATE.public_bytes(Encoding.PEM)
    for number, raw in enumerate((der + b"behind", pem, b"before\n" + pem)):
        rig.done("POST", f"/v1/tenants/t{number}", {"trusted-ca": [{"cert": b64encode(raw).decode()}]})
        assert rig.shown(f"/v1/tenants/t{number}")["trusted-ca"][0]["algorithm"] == "EC"
        rig.done("DELETE", f"/v1/tenants/t{number}")


@pytest.mark.parametrize(
    ("anchor", "reason"),
    [
        ({}, "has no subject-dn and no public-key and no not-before and no not-after"),
        ({"cert": "MIIB"}, "got 3 bytes that are none"),
        ({"cert": CERTIFICATE.public_bytes(Encoding.PEM).decode()}, "expected Base64 of DER, got PEM"),
        ({"cert": BY_CERTIFICATE["cert"] + "\n"}, "no blanks and line breaks"),
        ({"cert": BY_CERTIFICATE["cert"].replace("+", "-") + "-_"}, "the kind for URLs"),
        ({"cert": public_key_of(KEY)}, "got a bare public key: give it as public-key"),
        ({"cert": 5}, "no Base64"),
        ({**BY_KEY, "algorithm": "RSA"}, "the key is EC, the algorithm says RSA"),
        ({**BY_KEY, "algorithm": None}, "the key is EC, the algorithm says RSA"),
        ({**BY_KEY, "algorithm": "Ed"}, "there is no algorithm 'Ed'"),
        ({**BY_KEY, "public-key": BY_CERTIFICATE["cert"]}, "got a certificate: give it as cert"),
        ({**BY_KEY, "subject-dn": "E=a@b.c"}, "is no name"),
        ({**BY_KEY, "subject-dn": None}, "is missing"),
        ({**BY_KEY, "not-before": "2020-01-01T00:00:00+0200"}, "is no time"),
        ({**BY_KEY, "not-after": None}, "is missing"),
        ({**BY_KEY, "foo": 1}, "no member 'foo'"),
        ({**BY_KEY, "auth-id-template": "abc"}, "has no placeholder"),
        ({**BY_KEY, "auth-id-template": "{{subject-cn}}{{foo}}"}, "no placeholder 'foo'"),
        ({**BY_KEY, "auto-provisioning-device-id-template": None}, "is missing"),
        ({**BY_KEY, "ocsp-revocation-enabled": True}, "needs cert or ocsp-responder-cert"),
        (None, "expected an object, got None"),
    ],
)
def test_what_is_no_authority(rig: RegistryRig, anchor: Any, reason: str) -> None:
    answer = rig.ask("POST", "/v1/tenants/t", {"trusted-ca": [anchor]})
    assert told(answer) == INVALID
    assert reason in answer.reason
    assert rig.status("/v1/tenants/t") == 404


def test_flags_and_templates_are_kept(rig: RegistryRig) -> None:
    given = {
        **BY_KEY,
        "auto-provisioning-enabled": "true",
        "auto-provision-as-gateway": 1,
        "auto-provisioning-device-id-template": "dev-{{subject-cn}}",
        "auth-id-template": "{{subject-ou}}/{{subject-o}}",
    }
    found = shown_anchor(rig, given)
    assert found["auto-provisioning-enabled"] is found["auto-provision-as-gateway"] is True
    (anchor,) = anchors_of(rig.registry, "t")
    assert (anchor.device_id_template, anchor.auth_id_template) == (
        "dev-{{subject-cn}}",
        "{{subject-ou}}/{{subject-o}}",
    )
    assert anchor.is_auto_provisioning
    assert anchor.provisions_gateways


def test_an_authority_without_an_id_gets_a_new_one_with_every_put(rig: RegistryRig) -> None:
    first = shown_anchor(rig, BY_KEY)["id"]
    rig.done("PUT", "/v1/tenants/t", {"trusted-ca": [BY_KEY]})
    second = rig.shown("/v1/tenants/t")["trusted-ca"][0]["id"]
    assert first != second
    assert [anchor.id for anchor in anchors_of(rig.registry, "t")] == [second]


def test_two_authorities_of_one_id_are_refused(rig: RegistryRig) -> None:
    same = [{**BY_KEY, "id": "a"}, {**BY_KEY, "id": "a"}]
    answer = rig.ask("POST", "/v1/tenants/t", {"trusted-ca": same})
    assert told(answer) == (400, "trusted anchor IDs must be unique within each tenant object")


def test_an_authority_is_found_by_its_name_over_all_tenants(rig: RegistryRig) -> None:
    other = {**BY_KEY, "subject-dn": "CN=y"}
    rig.done("POST", "/v1/tenants/a", {"trusted-ca": [BY_KEY, other]})
    rig.done("POST", "/v1/tenants/b", {"trusted-ca": [{**BY_KEY, "subject-dn": "CN=z"}]})
    assert [one.tenant_id for one in tenants_trusting(rig.registry, "CN=y")] == ["a"]
    assert [one.subject_dn for one in anchors_of(rig.registry, "a")] == ["CN=x", "CN=y"]
    rig.done("PUT", "/v1/tenants/a", {})
    assert tenants_trusting(rig.registry, "CN=y") == []
    rig.done("DELETE", "/v1/tenants/b")
    assert tenants_trusting(rig.registry, "CN=z") == []


def test_tenants_of_one_group_share_an_authority_and_others_do_not(rig: RegistryRig) -> None:
    sharing = {"trusted-ca": [BY_KEY], "trust-anchor-group": "g"}
    rig.done("POST", "/v1/tenants/a", sharing)
    rig.done("POST", "/v1/tenants/b", sharing)
    assert len(tenants_trusting(rig.registry, "CN=x")) == 2
    for document in ({"trusted-ca": [BY_KEY]}, {**sharing, "trust-anchor-group": "h"}):
        answer = rig.ask("POST", "/v1/tenants/c", document)
        assert told(answer)[0] == 409
        assert "trusts 'CN=x' already" in answer.reason
    rig.done("POST", "/v1/tenants/c", {})
    assert rig.ask("PUT", "/v1/tenants/c", {"trusted-ca": [BY_KEY]}).response.status == 409
    assert rig.shown("/v1/tenants/c") == {}


def test_an_alias_belongs_to_one_tenant(rig: RegistryRig) -> None:
    rig.done("POST", "/v1/tenants/a", {"alias": "my-alias"})
    rig.done("POST", "/v1/tenants/b", {"alias": "other"})
    assert told(rig.ask("POST", "/v1/tenants/c", {"alias": "my-alias"})) == (409, "tenant already exists")
    assert told(rig.ask("PUT", "/v1/tenants/b", {"alias": "my-alias"})) == (409, "tenant alias already in use")
    rig.done("PUT", "/v1/tenants/a", {"alias": "my-alias"})
    found = tenant_of(rig.registry, "my-alias")
    assert found is not None
    assert found.tenant_id == "a"
    assert tenant_of(rig.registry, "nobody") is None


def test_versions(rig: RegistryRig) -> None:
    first = rig.done("POST", "/v1/tenants/t", {})
    for wrong in ("other", "*", f'"{first}"', f"{first}, other"):
        answer = rig.ask("PUT", "/v1/tenants/t", {"enabled": False}, If_Match=wrong)
        assert told(answer) == (412, "resource version mismatch")
        assert rig.ask("DELETE", "/v1/tenants/t", If_Match=wrong).response.status == 412
    assert rig.shown("/v1/tenants/t") == {}
    answer = rig.ask("PUT", "/v1/tenants/t", {"enabled": False}, If_Match=first)
    assert answer.response.status == 204
    assert answer.response.header("etag") not in (None, first)
    assert rig.ask("PUT", "/v1/tenants/t", {}, If_Match=first).response.status == 412
    assert rig.ask("PUT", "/v1/tenants/t", {}, If_Match="").response.status == 204
    assert (
        "without quotes"
        in rig.ask("DELETE", "/v1/tenants/t", If_Match=f'"{rig.done("PUT", "/v1/tenants/t", {})}"').reason
    )


def test_what_is_not_there(rig: RegistryRig) -> None:
    assert told(rig.ask("GET", "/v1/tenants/t")) == (404, "no such tenant")
    assert told(rig.ask("PUT", "/v1/tenants/t", {})) == (404, "no such object")
    assert told(rig.ask("DELETE", "/v1/tenants/t", If_Match="x")) == (404, "no such tenant")


def test_devices_of_a_tenant_that_is_deleted_are_out_of_reach_but_can_be_deleted(rig: RegistryRig) -> None:
    rig.with_device()
    rig.done("DELETE", "/v1/tenants/t")
    for target in ("/v1/tenants/t", "/v1/devices/t/d", "/v1/credentials/t/d", "/v1/devices/t"):
        assert rig.status(target) == 404
    rig.done("POST", "/v1/tenants/t", {})
    assert rig.status("/v1/devices/t/d") == 200
    rig.done("DELETE", "/v1/tenants/t")
    rig.done("DELETE", "/v1/devices/t/d")
    rig.done("POST", "/v1/tenants/t", {})
    assert rig.status("/v1/devices/t/d") == 404


def test_adapters_hear_of_changes_once_they_are_kept(rig: RegistryRig) -> None:
    rig.done("POST", "/v1/tenants/t", {})
    rig.done("PUT", "/v1/tenants/t", {"ext": {"invalidate-cache-on-update": True}})
    rig.done("PUT", "/v1/tenants/t", {"enabled": False})
    rig.ask("PUT", "/v1/tenants/t", {"foo": 1})
    rig.done("DELETE", "/v1/tenants/t")
    assert rig.registry.take_notices() == [
        Notice(NoticeKind.TENANT_CHANGED, "t", body={"empties_caches": True}),
        Notice(NoticeKind.TENANT_DISABLED, "t", body={"empties_caches": False}),
        Notice(NoticeKind.TENANT_DELETED, "t"),
    ]
    assert not rig.registry.has_notices


def test_which_adapters_a_tenant_has(rig: RegistryRig) -> None:
    rig.done("POST", "/v1/tenants/all", {})
    rig.done("POST", "/v1/tenants/one", {"adapters": [{"type": "hono-mqtt", "enabled": True}, {"type": "hono-coap"}]})
    every, one = (tenant_of(rig.registry, name) for name in ("all", "one"))
    assert every is not None
    assert one is not None
    assert every.has_adapter("hono-http")
    assert [one.has_adapter(f"hono-{kind}") for kind in ("mqtt", "coap", "http")] == [True, False, False]
    assert one.adapter("hono-http") is None


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        ({"enabled": "\u0001true "}, {"enabled": True}),
        ({"enabled": "\u0000"}, {}),
        ({"enabled": "\u00a0true"}, None),
        ({"minimum-message-size": "\u00015"}, {"minimum-message-size": 5}),
        ({"minimum-message-size": "\u00a05"}, None),
        ({"tracing": {"sampling-mode": " 1 "}}, {"tracing": {"sampling-mode": "all"}}),
        ({"tracing": {"sampling-mode": " All"}}, {"tracing": {"sampling-mode": "all"}}),
        ({"tracing": {"sampling-mode": "01"}}, None),
        ({"tracing": {"sampling-mode": "3"}}, None),
    ],
)
def test_blanks_around_values_are_those_of_java(document: dict[str, Any], shown: dict[str, Any] | None) -> None:
    rig = RegistryRig()
    status = rig.ask("POST", "/v1/tenants/x", document).response.status
    assert (status, rig.shown("/v1/tenants/x") if status == 201 else None) == (400 if shown is None else 201, shown)
