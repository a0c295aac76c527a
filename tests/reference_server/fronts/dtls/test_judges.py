"""Clients that nobody here wrote, against a `coaps` listener: OpenSSL's own, and libcoap with OpenSSL and GnuTLS."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from trustme import CA, KeyType

from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.simulator.contract.handshake import TlsAlert
from fleetrig.simulator.contract.trace import TraceEvent
from tests.certificates import P256, chain_pem
from tests.peers.programs import need_program
from tests.reference_server.echo import running, traced
from tests.reference_server.fronts.dtls.who_platform import KEYS, WhoPlatform

pytestmark = [pytest.mark.peer, pytest.mark.slow]

WITHIN_S = 30
COAPS = ("coap-client-openssl", "coap-client-gnutls")
GET_AND_KEY = ["-k", KEYS["dev-1"].decode()]


@dataclass
class Coaps:
    """A server that is listening; `folder` has the certificates of clients."""

    server: ReferenceServer
    events: list[TraceEvent]
    folder: Path

    @property
    def port(self) -> int:
        return self.server.addresses["who"]["coaps"].port

    def pem(self, name: str, key_type: KeyType = P256) -> str:
        """A file with a new certificate of an authority that the server has never heard of, and its key."""
        leaf = CA(key_type=P256).create_child_ca(key_type=P256).issue_cert(common_name=name, key_type=key_type)
        file = self.folder / f"{name}-{key_type.name}.pem"
        file.write_bytes(leaf.private_key_pem.bytes() + chain_pem(leaf))
        return str(file)

    def get(self, program: str, *options: str, host: str = "127.0.0.1") -> str:
        """What a client of libcoap prints."""
        path = need_program(program, "libcoap3-bin")
        command = [path, "-B", "3", *options, f"coaps://{host}:{self.port}/who"]
        return subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False).stdout.strip()

    def s_client(self, *options: str) -> str:
        command = [need_program("openssl", "openssl"), "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{self.port}"]
        done = subprocess.run(
            [*command, *options], input="", capture_output=True, text=True, timeout=WITHIN_S, check=False
        )
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def coaps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coaps]:
    with running() as bench:
        trace, events = traced()
        options = ServerOptions((PlatformOptions("who", WhoPlatform, {"coaps": ANY_LOOPBACK_PORT}),))
        yield Coaps(bench.run(ReferenceServer(options, trace)), events, tmp_path_factory.mktemp("clients"))


@pytest.mark.parametrize("program", COAPS)
def test_libcoap_with_a_key(coaps: Coaps, program: str) -> None:
    assert coaps.get(program, "-u", "dev-1", *GET_AND_KEY) == "dev-1 at 127.0.0.1"
    assert coaps.get(program, "-u", "dev-1", *GET_AND_KEY, host="localhost") == "dev-1 at localhost"


@pytest.mark.parametrize("key_type", [KeyType.ECDSA, KeyType.RSA])
@pytest.mark.parametrize("program", COAPS)
def test_libcoap_with_a_certificate(coaps: Coaps, program: str, key_type: KeyType) -> None:
    own = coaps.pem("dev-2", key_type)
    assert (
        coaps.get(program, "-c", own, "-j", own, "-R", str(coaps.server.ca), host="localhost") == "dev-2 at localhost"
    )


@pytest.mark.slow
def test_libcoap_over_a_network_that_loses_datagrams(coaps: Coaps) -> None:
    own = coaps.pem("dev-3")
    found = coaps.get("coap-client-openssl", "-B", "20", "-l", "2,4", "-c", own, "-j", own, "-n")
    assert found.startswith("dev-3 at")


@pytest.mark.slow
@pytest.mark.parametrize("program", COAPS)
@pytest.mark.parametrize("options", [("-u", "dev-1", "-k", "a wrong key"), ("-u", "nobody", *GET_AND_KEY)])
def test_libcoap_with_a_wrong_key_or_name_hears_nothing(coaps: Coaps, program: str, options: tuple[str, ...]) -> None:
    path = need_program(program, "libcoap3-bin")
    command = [path, "-B", "1", "-v", "7", *options, f"coaps://127.0.0.1:{coaps.port}/who"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    assert "alert" not in (done.stdout + done.stderr).lower()
    assert "dev-1 at" not in done.stdout


@pytest.mark.parametrize("alert", [TlsAlert.BAD_CERTIFICATE, TlsAlert.CERTIFICATE_UNKNOWN, TlsAlert.UNKNOWN_CA])
def test_openssl_hears_the_alert_by_name(coaps: Coaps, alert: TlsAlert) -> None:
    said = coaps.s_client("-cert", coaps.pem(alert))
    assert f"alert {alert.replace('_', ' ')}" in said
    assert any(event.reason == f"so it wants: {alert}" for event in coaps.events)


@pytest.mark.parametrize(
    "cipher",
    ["PSK-AES128-CCM8", "PSK-AES128-CCM", "PSK-AES128-GCM-SHA256", "ECDHE-PSK-CHACHA20-POLY1305"],
)
def test_openssl_with_a_key(coaps: Coaps, cipher: str) -> None:
    key = ("-psk_identity", "dev-1", "-psk", KEYS["dev-1"].hex())
    said = coaps.s_client(*key, "-cipher", f"{cipher}:@SECLEVEL=0")
    assert f"Cipher is {cipher}" in said


@pytest.mark.parametrize(
    "cipher", ["ECDHE-ECDSA-AES128-CCM8", "ECDHE-ECDSA-AES128-CCM", "ECDHE-ECDSA-AES128-GCM-SHA256"]
)
def test_openssl_trusts_the_server(coaps: Coaps, cipher: str) -> None:
    options = ("-CAfile", str(coaps.server.ca), "-verify_return_error", "-verify_hostname", "localhost")
    said = coaps.s_client(*options, "-cert", coaps.pem("dev-4"), "-cipher", f"{cipher}:@SECLEVEL=0")
    assert "Verify return code: 0 (ok)" in said
    assert f"Cipher is {cipher}" in said


def test_openssl_without_a_common_cipher_is_told(coaps: Coaps) -> None:
    said = coaps.s_client("-cipher", "DHE-RSA-AES128-GCM-SHA256")
    assert "alert handshake failure" in said
    assert "DTLS: it has no cipher suite in common with this server" in {event.reason for event in coaps.events}


def test_nothing_older_than_dtls_1_2_is_spoken(coaps: Coaps) -> None:
    command = [need_program("openssl", "openssl"), "s_client", "-dtls1", "-connect", f"127.0.0.1:{coaps.port}"]
    options = ["-cipher", "ALL:@SECLEVEL=0"]
    done = subprocess.run([*command, *options], input="", capture_output=True, text=True, timeout=WITHIN_S, check=False)
    assert "protocol version" in done.stdout + done.stderr
