"""Whose certificates are accepted."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from fleetrig.harness.servers.address import host_port, is_loopback
from fleetrig.harness.servers.trust import verify_with
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.transports.client_tls import ClientTls


def ca_file(path: Path) -> tuple[Path, str]:
    """A CA of its own, and its name."""
    ca = trustme.CA(organization_name=path.stem)
    ca.cert_pem.write_to_path(path)
    return path, path.stem


def trusted_by(verify: ssl.SSLContext | bool) -> str:
    assert isinstance(verify, ssl.SSLContext)
    return str(verify.get_ca_certs())


def test_certificates_are_checked_as_said(tmp_path: Path) -> None:
    ca, _ = ca_file(tmp_path / "ca.pem")
    assert verify_with(None, insecure=False) is True
    trusting = verify_with(ca, insecure=False)
    assert isinstance(trusting, ssl.SSLContext)
    assert trusting.verify_mode is ssl.CERT_REQUIRED
    blind = verify_with(None, insecure=True)
    assert isinstance(blind, ssl.SSLContext)
    assert blind.verify_mode is ssl.CERT_NONE


def test_the_option_wins_over_the_server_file(tmp_path: Path) -> None:
    ours, our_name = ca_file(tmp_path / "option.pem")
    theirs, their_name = ca_file(tmp_path / "file.pem")
    assert their_name in trusted_by(verify_with(None, insecure=False, file_ca=theirs))
    both = trusted_by(verify_with(ours, insecure=False, file_ca=theirs))
    assert our_name in both
    assert their_name not in both
    blind = verify_with(None, insecure=True, file_ca=theirs)
    assert isinstance(blind, ssl.SSLContext)
    assert blind.verify_mode is ssl.CERT_NONE


def test_a_ca_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for path in (tmp_path / "ca.pem", tmp_path / "missing.pem"):
        with pytest.raises(UsageError, match=r"cannot read the CA|the CA \S+ holds no PEM certificate"):
            verify_with(path, insecure=False)
    with pytest.raises(UsageError, match="contradict each other"):
        verify_with(tmp_path / "ca.pem", insecure=True)


@pytest.mark.parametrize(("host", "loopback"), [("127.8.8.8", True), ("localhost.example", False), ("0.0.0.0", False)])
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize("text", ["", "h", ":1883", "h:", "h:0", "h:99999", "u@h:1", "mqtt://h:1", "h:1/x", "h:x"])
def test_what_is_no_host_and_port(text: str) -> None:
    with pytest.raises(UsageError, match="expected HOST:PORT"):
        host_port(text)


@pytest.mark.parametrize("text", ["h:1883", "127.0.0.1:1", "[::1]:5683"])
def test_host_and_port(text: str) -> None:
    assert host_port(text) == text


def test_devices_over_dtls_trust_the_same(tmp_path: Path) -> None:
    """DTLS is another library's: it gets the authorities themselves."""
    ca, _ = ca_file(tmp_path / "ca.pem")
    trusted = ClientTls(verify_with(ca, insecure=False)).of(None).trusted
    assert trusted.certificates == (ssl.PEM_cert_to_DER_cert(ca.read_text()),)
    blind = ClientTls(verify_with(None, insecure=True)).of(None).trusted
    assert (blind.checks_chain, blind.checks_host) == (False, False)
