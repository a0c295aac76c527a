"""Signed tokens: who they say they are of, which are good, and for how long (spec 4.1)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fleetrig.reference_server.platforms.hono.provisioning.tokens import MalformedToken, owner_in, read_token
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US
from tests.reference_server.platforms.hono.adapter_rig import JSON_TYPE, TENANT, AdapterRig
from tests.reference_server.platforms.hono.http_requests import post, put, reasons_of, said, steps_of

NOW_S = VIRTUAL_EPOCH_US // 1_000_000
EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
WEAK_KEY = rsa.generate_private_key(65537, 1024)
CLAIMS = {"aud": "hono-adapter", "tid": TENANT, "sub": "d1", "iat": NOW_S, "exp": NOW_S + 600}


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(claims: Mapping[str, Any] = CLAIMS, key: Any = EC_KEY, **header: object) -> str:
    head = {"typ": "JWT", "alg": "ES256" if isinstance(key, ec.EllipticCurvePrivateKey) else "RS256", **header}
    signed = ".".join(encoded(json.dumps(part).encode()) for part in (head, dict(claims)))
    return f"{signed}.{encoded(signature(signed.encode(), key, str(head['alg'])))}"


def signature(content: bytes, key: Any, algorithm: str) -> bytes:
    digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}.get(
        algorithm[2:], hashes.SHA256()
    )
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(content, ec.ECDSA(digest)))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    if algorithm.startswith("PS"):
        return bytes(key.sign(content, padding.PSS(padding.MGF1(digest), digest.digest_size), digest))
    return bytes(key.sign(content, padding.PKCS1v15(), digest))


def public(key: Any) -> str:
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


@pytest.fixture
def rig() -> AdapterRig:
    made = AdapterRig()
    made.tenant()
    made.device("d1")
    keys = [("EC", EC_KEY), ("RSA", RSA_KEY), ("RSA", WEAK_KEY)]
    secrets = [{"algorithm": algorithm, "key": public(key)} for algorithm, key in keys]
    made.api("PUT", f"credentials/{TENANT}/d1", [{"type": "rpk", "auth-id": "d1", "secrets": secrets}])
    made.told()
    return made


def bearing(jwt: str) -> Any:
    return {"headers": (JSON_TYPE, ("Authorization", f"Bearer {jwt}"))}


RSA_ALGORITHMS = [f"{family}{bits}" for family in ("RS", "PS") for bits in (256, 384, 512)]


@pytest.mark.parametrize(("key", "algorithm"), [(EC_KEY, "ES256"), *((RSA_KEY, one) for one in RSA_ALGORITHMS)])
def test_a_token_of_each_kind(rig: AdapterRig, key: Any, algorithm: str) -> None:
    assert post(rig, **bearing(token(key=key, alg=algorithm))).status == 202
    assert steps_of(rig)[:3] == ["tenant_found", "credentials_found", "secret_verified"]


def test_a_token_that_leaves_tenant_and_device_to_the_uri(rig: AdapterRig) -> None:
    bare = {name: CLAIMS[name] for name in ("iat", "exp")}
    assert put(rig, f"/telemetry/{TENANT}/d1", **bearing(token(bare))).status == 202
    response = post(rig, "/telemetry", **bearing(token(bare)))
    assert said(response) == (401, "Unauthorized")
    assert response.header("WWW-Authenticate") is not None


@pytest.mark.parametrize(
    ("claims", "header", "key", "reason"),
    [
        ({}, {}, ec.generate_private_key(ec.SECP256R1()), "signed by none of the public keys on record"),
        ({}, {}, WEAK_KEY, "signed by none of the public keys on record"),
        ({}, {"typ": "JOSE"}, EC_KEY, "header typ is not JWT"),
        ({}, {"alg": "none"}, EC_KEY, "signed by none"),
        ({"exp": NOW_S - 601, "iat": NOW_S - 900}, {}, EC_KEY, "it has expired 601 s ago"),
        ({"nbf": NOW_S + 601}, {}, EC_KEY, "it counts only 601 s from now"),
        ({"iat": NOW_S + 601, "exp": NOW_S + 900}, {}, EC_KEY, "is the clock of the device right?"),
        ({"exp": NOW_S + 24 * 3600 + 601}, {}, EC_KEY, "more than 24 hours later"),
        ({"exp": NOW_S - 10}, {}, EC_KEY, "its exp is not later than its iat"),
        ({"iat": None}, {}, EC_KEY, "it has no claim iat"),
        ({"exp": "soon"}, {}, EC_KEY, "it has no claim exp"),
    ],
    ids=["stranger", "weak key", "typ", "alg none", "expired", "nbf", "iat ahead", "too long", "exp first", "no iat",
         "exp is a text"],
)  # fmt: skip
def test_a_token_that_is_refused(
    rig: AdapterRig, claims: dict[str, Any], header: dict[str, Any], key: Any, reason: str
) -> None:
    response = post(rig, **bearing(token({**CLAIMS, **claims}, key, **header)))
    assert said(response) == (401, "Error Code: 401")
    assert response.header("WWW-Authenticate") is None
    assert reason in reasons_of(rig)[0]


@pytest.mark.parametrize(
    "claims", [{"exp": NOW_S - 599, "iat": NOW_S - 900}, {"iat": NOW_S + 599, "exp": NOW_S + 900}, {"nbf": NOW_S + 599}]
)
def test_clocks_may_differ_by_ten_minutes(rig: AdapterRig, claims: dict[str, Any]) -> None:
    assert post(rig, **bearing(token({**CLAIMS, **claims}))).status == 202


def test_an_issuer_that_the_credentials_are_bound_to(rig: AdapterRig) -> None:
    secrets = [{"algorithm": "EC", "key": public(EC_KEY)}]
    bound = {"type": "rpk", "auth-id": "d1", "secrets": secrets, "ext": {"iss": "plant-7"}}
    rig.api("PUT", f"credentials/{TENANT}/d1", [bound])
    assert post(rig, **bearing(token({**CLAIMS, "iss": "plant-7"}))).status == 202
    assert said(post(rig, **bearing(token()))) == (401, "bad credentials")


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", f"{encoded(b'{}')}.{encoded(b'[]')}.x", "x" * 9000])
def test_what_is_no_token(text: str) -> None:
    with pytest.raises(MalformedToken):
        read_token(text)


def test_a_token_for_adapters_has_to_name_its_owner() -> None:
    for left_out, claim in (("tid", "tenant ID in tid"), ("sub", "auth ID in sub")):
        without = {name: value for name, value in CLAIMS.items() if name != left_out}
        with pytest.raises(MalformedToken, match=claim):
            owner_in(read_token(token(without)), ("t", "d"))


def test_a_session_ends_with_its_token(rig: AdapterRig) -> None:
    """Over MQTT it is the password."""
    assert rig.join(1, f"ignored@{TENANT}", token()) == ["1 CONNACK 0"]
    rig.now_us += (600 + 599) * 1_000_000
    assert rig.publish(1, "telemetry") == ["1 PUBACK"]
    rig.now_us += 2 * 1_000_000
    assert rig.publish(1, "telemetry") == ["1 closed"]


@pytest.mark.parametrize("end", ["", "!", "x"])
def test_a_signature_that_is_none_is_noticed_when_it_is_verified(rig: AdapterRig, end: str) -> None:
    cut = token().rpartition(".")[0]
    assert said(post(rig, **bearing(f"{cut}.{end}"))) == (401, "Error Code: 401")
    stranger = token({**CLAIMS, "sub": "nobody"}).rpartition(".")[0]
    assert said(post(rig, **bearing(f"{stranger}.{end}"))) == (401, "bad credentials")


def test_two_slashes_come_before_a_token_that_says_whose_it_is(rig: AdapterRig) -> None:
    assert said(post(rig, "//telemetry", **bearing(token()))) == (400, "path must not start with an empty segment")
    assert said(post(rig, "//telemetry", **bearing("a.b.c"))) == (401, "Unauthorized")


def test_a_header_that_is_none_is_noticed_when_it_is_verified(rig: AdapterRig) -> None:
    behind = token().partition(".")[2]
    assert said(post(rig, **bearing(f"x.{behind}"))) == (401, "Error Code: 401")


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"tid": 5}, "bad credentials"),
        ({"sub": 5}, "bad credentials"),
        ({"aud": ["hono-adapter", 5]}, "Error Code: 401"),
    ],
)
def test_claims_of_another_kind(rig: AdapterRig, claims: dict[str, Any], error: str) -> None:
    assert said(post(rig, **bearing(token({**CLAIMS, **claims})))) == (401, error)


def test_an_audience_that_is_none(rig: AdapterRig) -> None:
    refused = put(rig, f"/telemetry/{TENANT}/d1", **bearing(token({**CLAIMS, "aud": 5})))
    assert said(refused) == (401, "Error Code: 401")
