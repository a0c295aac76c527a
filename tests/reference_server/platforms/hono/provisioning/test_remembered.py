"""What the server remembers of certificates spares it work, and never outlives what an operator changes."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fleetrig.reference_server.platforms.hono.provisioning import client_certificate
from fleetrig.reference_server.platforms.hono.provisioning.client_certificate import read, refused_by_authority
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.certificates.names import alternative
from fleetrig.simulator.contract.clock import US_PER_S, VIRTUAL_EPOCH_US
from tests.reference_server.platforms.hono.adapter_rig import TENANT, AdapterRig, authority, certificate_text, chain
from tests.reference_server.platforms.hono.http_requests import post

ISSUER = "CN=devices,O=ACME"


@pytest.fixture
def devices() -> CertificateAuthority:
    return authority(ISSUER)


@pytest.fixture
def rig(devices: CertificateAuthority) -> AdapterRig:
    made = AdapterRig()
    made.trusting(devices)
    return made


def trust(rig: AdapterRig, *authorities: CertificateAuthority) -> None:
    anchors = [{"cert": certificate_text(one), "auto-provisioning-enabled": True} for one in authorities]
    rig.api("PUT", f"tenants/{TENANT}", {"trusted-ca": anchors})


def test_a_certificate_is_verified_once(
    rig: AdapterRig, devices: CertificateAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[Any] = []
    verify = client_certificate._verify

    def counting(certificate: Any, public_key: bytes) -> None:
        verified.append(certificate)
        verify(certificate, public_key)

    monkeypatch.setattr(client_certificate, "_verify", counting)
    first, second = chain(devices, "CN=once-1,O=ACME"), chain(devices, "CN=once-2,O=ACME")
    assert [post(rig, certificates=one).status for one in (first, first, second, first)] == [202] * 4
    assert rig.join(certificates=first) == ["1 CONNACK 0"]
    assert len(verified) == 2


def test_an_authority_that_gives_way_to_another_of_its_name(rig: AdapterRig, devices: CertificateAuthority) -> None:
    shown, successor = chain(devices), authority(ISSUER, seed="2")
    assert post(rig, certificates=shown).status == 202
    trust(rig, successor)
    assert post(rig, certificates=shown).status == 401
    assert rig.join(certificates=shown) == ["1 CONNACK 4", "1 closed"]
    assert post(rig, certificates=chain(successor)).status == 202
    trust(rig, devices, successor)
    assert post(rig, certificates=shown).status == 202


def test_an_authority_that_is_trusted_no_more(rig: AdapterRig, devices: CertificateAuthority) -> None:
    shown = chain(devices)
    assert post(rig, certificates=shown).status == 202
    trust(rig)
    assert post(rig, certificates=shown).status != 202


def test_what_is_remembered_knows_no_time(devices: CertificateAuthority) -> None:
    """A certificate that was taken expires all the same."""
    shown, key = read(chain(devices)[0]), devices.certificate.public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    end_us = int(shown.certificate.not_valid_after_utc.timestamp()) * US_PER_S
    flaws = [refused_by_authority(shown, shown.issuer_dn, der, at) for at in (VIRTUAL_EPOCH_US, end_us + US_PER_S)]
    assert flaws[0] == ""
    assert "expired" in flaws[1]


def test_a_certificate_that_would_fill_the_memory_is_not_remembered(devices: CertificateAuthority) -> None:
    """It is read all the same, each time anew."""
    many = [alternative(f"d{at:04d}.example") for at in range(400)]
    (short,), (long,) = chain(devices)[:1], chain(devices, alternatives=many)[:1]
    assert read(short) is read(short)
    assert read(long) is not read(long)
    assert read(long).subject_dn == read(short).subject_dn


def test_a_first_contact_wakes_nobody(rig: AdapterRig, devices: CertificateAuthority) -> None:
    """There is nobody who could have waited for what it has made."""
    assert post(rig, certificates=chain(devices)).status == 202
    assert rig.platform.next_due_us() is None
