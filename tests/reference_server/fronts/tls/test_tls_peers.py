"""Our TLS as the command line clients of OpenSSL, GnuTLS and curl meet it."""

from __future__ import annotations

import re
import ssl
import subprocess
from pathlib import Path

import pytest

from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.contract.handshake import ShownCertificate, TlsAlert
from fleetrig.simulator.contract.identity import ClientCertificate
from tests.peers.programs import need_program
from tests.reference_server.fronts.tls.tls_bench import TlsBench, now_us

pytestmark = pytest.mark.peer

WITHIN_S = 20.0
EACH = pytest.mark.parametrize("client_auth", [ClientAuth.NONE, ClientAuth.ANY])


@pytest.fixture(scope="module")
def device() -> ClientCertificate:
    return CertificateAuthority("fleet", now_us()).authority_below("plant").issue_client("gw-7")


@pytest.fixture
def device_files(tmp_path: Path, device: ClientCertificate) -> tuple[str, ...]:
    """What makes s_client show it."""
    chain, key = tmp_path / "device.pem", tmp_path / "key.pem"
    chain.write_text("".join(map(ssl.DER_cert_to_PEM_cert, device.chain)))
    key.write_bytes(device.key_pem)
    return "-cert", str(chain), "-cert_chain", str(chain), "-key", str(key)


def s_client(bench: TlsBench, port: int, *options: str, said: str = "Q\n") -> str:
    """What it prints. It reads until the server ends when `said` is a line that does not make it quit."""
    command = [need_program("openssl", "openssl"), "s_client", "-connect", f"localhost:{port}", "-4",
               "-servername", "localhost", "-CAfile", str(bench.certificates.ca), "-verify_return_error"]  # fmt: skip
    done = subprocess.run(
        [*command, *options], input=said, capture_output=True, text=True, timeout=WITHIN_S, check=False
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("alert", list(TlsAlert))
def test_openssl_names_the_alert(
    tls_bench: TlsBench, device_files: tuple[str, ...], alert: TlsAlert, version: str
) -> None:
    tls_bench.judge.judge = lambda _: alert
    said = s_client(tls_bench, tls_bench.listen(ClientAuth.ANY), version, "-ign_eof", *device_files, said="hello\n")
    heard = re.findall(r"alert ([a-z ]+):", said)
    assert heard == ([] if alert is TlsAlert.SILENCE else [alert.replace("_", " ")]), said
    assert "hello" not in said


@EACH
@pytest.mark.parametrize(("version", "name"), [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")])
def test_openssl_speaks_each_version(tls_bench: TlsBench, client_auth: ClientAuth, version: str, name: str) -> None:
    said = s_client(tls_bench, tls_bench.listen(client_auth), version, "-ign_eof", said="END\n")
    assert f"New, {name}, Cipher is" in said
    assert "Verification: OK" in said
    assert "the last words" in said
    assert tls_bench.opened[0].session.server_name == "localhost"
    assert tls_bench.events == []


@EACH
@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_openssl_does_not_get_in_with_what_is_old(tls_bench: TlsBench, client_auth: ClientAuth, version: str) -> None:
    said = s_client(tls_bench, tls_bench.listen(client_auth), version, "-cipher", "DEFAULT@SECLEVEL=0")
    assert "alert protocol version" in said
    assert tls_bench.said() == [("refused", "TLS: it speaks no TLS from 1.2 on")]


@EACH
def test_openssl_may_not_renegotiate(tls_bench: TlsBench, client_auth: ClientAuth) -> None:
    said = s_client(tls_bench, tls_bench.listen(client_auth), "-tls1_2", said="R\n")
    assert "RENEGOTIATING" in said
    assert "no renegotiation" in said
    assert len(tls_bench.judge.asked) == 1


@EACH
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_comes_back_without_harm(
    tls_bench: TlsBench, device_files: tuple[str, ...], tmp_path: Path, client_auth: ClientAuth, version: str
) -> None:
    """With what it kept of the session, and with another certificate shown in between."""
    port = tls_bench.listen(client_auth)
    kept = str(tmp_path / "session")
    s_client(tls_bench, port, version, "-ign_eof", "-sess_out", kept, *device_files, said="END\n")
    again = s_client(
        tls_bench, port, version, "-ign_eof", *(("-sess_in", kept) if Path(kept).exists() else ()), *device_files,
        said="END\n",
    )  # fmt: skip
    assert "the last words" in again
    first, second = tls_bench.opened
    assert first.session.certificates == second.session.certificates
    tls_bench.judge.shows = ShownCertificate.EXPIRED
    fault = s_client(tls_bench, port, version, *(("-sess_in", kept) if Path(kept).exists() else ()))
    assert "certificate has expired" in fault


@EACH
@pytest.mark.parametrize(("offered", "chosen"), [("http/1.1", "ALPN protocol: http/1.1"), ("h2", "No ALPN negotiated")])
def test_openssl_agrees_on_a_protocol(tls_bench: TlsBench, client_auth: ClientAuth, offered: str, chosen: str) -> None:
    assert chosen in s_client(tls_bench, tls_bench.listen(client_auth, alpn=["http/1.1"]), "-alpn", offered)
    assert "No ALPN negotiated" in s_client(tls_bench, tls_bench.listen(client_auth), "-alpn", offered)


@EACH
@pytest.mark.parametrize("keys", ["k", "K"])
def test_openssl_may_ask_for_new_keys(tls_bench: TlsBench, client_auth: ClientAuth, keys: str) -> None:
    said = s_client(tls_bench, tls_bench.listen(client_auth), "-tls1_3", said=f"{keys}\nhello\nQ\n")
    assert "KEYUPDATE" in said
    assert tls_bench.events == []


@EACH
@pytest.mark.parametrize("shown", list(ShownCertificate))
def test_gnutls_judges_what_is_shown(tls_bench: TlsBench, client_auth: ClientAuth, shown: ShownCertificate) -> None:
    tls_bench.judge.shows = shown
    port = tls_bench.listen(client_auth)
    command = [need_program("gnutls-cli", "gnutls-bin"), "localhost", "-p", str(port),
               "--x509cafile", str(tls_bench.certificates.ca)]  # fmt: skip
    done = subprocess.run(command, input="END\n", capture_output=True, text=True, timeout=WITHIN_S, check=False)
    said = done.stdout + done.stderr
    complaint = {
        ShownCertificate.EXPIRED: "uses expired certificate",
        ShownCertificate.NOT_YET_VALID: "not yet valid certificate",
        ShownCertificate.WRONG_NAME: "name in the certificate does not match",
        ShownCertificate.STRANGER: "certificate is NOT trusted",
    }.get(shown, "the last words")
    assert complaint in said, said


def test_curl_shows_a_certificate_and_is_refused(tls_bench: TlsBench, device_files: tuple[str, ...]) -> None:
    tls_bench.judge.judge = lambda _: TlsAlert.CERTIFICATE_UNKNOWN
    port = tls_bench.listen(ClientAuth.ANY, alpn=["http/1.1"])
    _, chain, *_, key = device_files
    command = [need_program("curl", "curl"), "-sS", "--cacert", str(tls_bench.certificates.ca), "--cert", chain,
               "--key", key, f"https://localhost:{port}/"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    assert done.returncode == 56, done.stderr
    assert "alert certificate unknown" in done.stderr
