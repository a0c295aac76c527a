"""Whom devices trust and what they show, for whatever library makes the connection."""

from __future__ import annotations

import ssl

import pytest
import trustme

from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import ClientCertificate, PreSharedKey
from fleetrig.simulator.transports.client_tls import ClientTls, DeviceContext

KEY = PreSharedKey("sensor1@TENANT", b"0123456789abcdef")


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())


def certificate_from(authority: trustme.CA) -> ClientCertificate:
    issued = authority.issue_cert("dev-1.test")
    chain = tuple(ssl.PEM_cert_to_DER_cert(pem.bytes().decode()) for pem in issued.cert_chain_pems)
    return ClientCertificate(chain, issued.private_key_pem.bytes())


def test_a_given_authority_is_trusted_by_every_library() -> None:
    authority = trustme.CA()
    trusted = ClientTls(trusting(authority)).of(None).trusted
    assert trusted.certificates == (ssl.PEM_cert_to_DER_cert(authority.cert_pem.bytes().decode()),)
    assert (trusted.checks_chain, trusted.checks_host) == (True, True)


def test_the_authorities_of_the_system_are_left_to_the_library() -> None:
    assert ClientTls(True).trusted.certificates is None


def test_who_trusts_anybody_checks_nothing() -> None:
    trusted = ClientTls(False).of(None).trusted
    assert (trusted.certificates, trusted.checks_chain, trusted.checks_host) == ((), False, False)


def test_all_devices_trust_one_object() -> None:
    bench = ClientTls(trusting(trustme.CA()))
    assert bench.of(None).trusted is bench.of(KEY).trusted


def test_authorities_that_are_none_are_told_when_they_are_needed() -> None:
    authority = trustme.CA()
    context = trusting(authority)
    context.load_verify_locations(cadata=authority.issue_cert("server.test").cert_chain_pems[0].bytes().decode())
    tls = ClientTls(context).of(None)
    with pytest.raises(UsageError, match="other certificates too"):
        _ = tls.trusted


def test_a_pre_shared_key_is_nothing_for_the_standard_library() -> None:
    bench = ClientTls(trusting(trustme.CA()))
    tls = bench.of(KEY)
    assert tls.context is bench.plain
    assert tls.shown is KEY


def test_a_certificate_has_a_context_of_its_own() -> None:
    authority = trustme.CA()
    certificate = certificate_from(authority)
    tls = ClientTls(trusting(authority)).of(certificate)
    assert isinstance(tls.context, DeviceContext)
    assert tls.shown is certificate


def test_a_key_is_not_printed() -> None:
    assert repr(KEY).startswith("sensor1@TENANT/pre-shared-key:")
    assert "0123456789abcdef" not in repr(KEY)
    assert KEY.key.hex() not in repr(KEY)
