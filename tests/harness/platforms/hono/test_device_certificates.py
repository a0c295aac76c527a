"""Certificates of a run: names as Java writes them, entries of `trusted-ca` that a registry has room for."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from fleetrig.harness.platforms.hono.certificates import (
    DeviceCertificates,
    auth_id_of,
    expanded,
    subject_of,
    trusted_entry,
)
from fleetrig.harness.platforms.hono.settings import chosen
from fleetrig.harness.run.context import RunContext, seeded_tokens
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.identity import ClientCertificate

REGISTRY_BODY_BYTES = 2048


def certificates() -> DeviceCertificates:
    driver = SimpleNamespace(now_us=lambda: VIRTUAL_EPOCH_US)
    context = SimpleNamespace(driver=driver, new_token=seeded_tokens(1), prefix="")
    return DeviceCertificates(cast(RunContext, cast(Any, context)), "fleetrig-0a1b2c-fleetrig")


def leaf(shown: ClientCertificate) -> x509.Certificate:
    return x509.load_der_x509_certificate(shown.chain[0])


def test_the_auth_id_is_the_subject_or_what_a_template_makes_of_it() -> None:
    shown = certificates().first("certificate", "HN-0001")
    assert auth_id_of(shown, None) == "CN=HN-0001,OU=devices,O=fleetrig"
    assert auth_id_of(shown, "{{subject-o}}-{{subject-ou}}-{{subject-cn}}") == "fleetrig-devices-HN-0001"
    assert expanded("x-{{subject-dn}}", subject_of("a")) == "x-CN=a,OU=devices,O=fleetrig"


@pytest.mark.parametrize(
    ("kind", "has_name", "has_key"),
    [
        ("certificate", True, True),
        ("forged_certificate", True, False),
        ("strangers_certificate", False, False),
        ("expired_certificate", True, True),
        ("early_certificate", True, True),
    ],
)
def test_who_has_issued_what(kind: str, has_name: bool, has_key: bool) -> None:
    made = certificates()
    own, shown = made.authorities[0].certificate, leaf(made.first(kind, "HN-0001"))
    assert (shown.issuer == own.subject) is has_name
    if has_key:
        shown.verify_directly_issued_by(own)
    else:
        with pytest.raises((ValueError, InvalidSignature)):
            shown.verify_directly_issued_by(own)
    now = VIRTUAL_EPOCH_US / 1e6
    is_valid = shown.not_valid_before_utc.timestamp() <= now <= shown.not_valid_after_utc.timestamp()
    assert is_valid is (kind not in ("expired_certificate", "early_certificate"))


def test_a_renewed_certificate_has_another_key_and_the_name_that_was_asked_for() -> None:
    made = certificates()
    first = made.first("certificate", "HN-0001")
    same, other = made.renewed(first), made.renewed(first, same_subject=False)
    assert leaf(same).subject == leaf(first).subject
    assert leaf(other).subject != leaf(first).subject
    assert auth_id_of(other, "{{subject-cn}}") == "HN-0001"
    assert len({first.key_pem, same.key_pem, other.key_pem}) == 3


def test_a_second_authority_signs_what_comes_after_it() -> None:
    made = certificates()
    first = made.first("certificate", "HN-0001")
    made.add_authority()
    renewed = leaf(made.renewed(first))
    renewed.verify_directly_issued_by(made.authorities[1].certificate)
    assert made.authorities[0].subject != made.authorities[1].subject


def test_three_authorities_find_room_in_one_tenant() -> None:
    made = certificates()
    made.add_authority()
    made.add_authority()
    flags = {name: value for name, value in chosen({}, "certificate").items() if name != "trusted-ca"}
    entries = [{**trusted_entry(one.certificate, is_short=True), **flags} for one in made.authorities]
    assert len(json.dumps({"trusted-ca": entries})) < REGISTRY_BODY_BYTES


def test_the_same_seed_makes_the_same_certificates() -> None:
    assert certificates().first("certificate", "a").chain == certificates().first("certificate", "a").chain
