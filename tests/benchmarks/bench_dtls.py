"""DTLS with a client's certificate: what a handshake costs us beside a bare listener, and what an association holds."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from trustme import CA

from fleetrig.simulator.transports.client_tls import ClientTls, DeviceTls
from fleetrig.simulator.transports.dtls_client import DtlsClient
from tests.benchmarks.measure import resident_mib, show, show_handshakes
from tests.certificates import P256, of_device, trusting

KINDS = ("bare", "ours")
HANDSHAKES = 200
HELD = 500
AIM = 1.3
AUTHORITY = CA(key_type=P256)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("dtls") / "server.pem"
    AUTHORITY.issue_cert("localhost", key_type=P256).private_key_and_cert_chain_pem.write_to_path(file)
    return file


@pytest.fixture(scope="module")
def device() -> DeviceTls:
    return ClientTls(trusting(AUTHORITY)).of(of_device(AUTHORITY.issue_cert("device", key_type=P256)))


@contextlib.contextmanager
def listening(kind: str, certificate: Path) -> Iterator[tuple[int, int]]:
    """(pid, port)"""
    command = [sys.executable, "-m", "tests.benchmarks.dtls_listener", kind, str(certificate)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.pid, int(process.stdout.readline())
        finally:
            process.kill()


class Association:
    """A device's, open. Returns when the server has answered over it."""

    def __init__(self, port: int, device: DeviceTls) -> None:
        self._client = DtlsClient(device, "localhost")
        self._sock = socket.socket(type=socket.SOCK_DGRAM)
        self._sock.settimeout(10)
        self._sock.connect(("127.0.0.1", port))
        self._client.start()
        while not self._client.is_open:
            self._exchange()
        self._client.send(b"x")
        assert self._exchange() == [b"x"]

    def close(self) -> None:
        self._client.say_goodbye()
        self._send()
        self._sock.close()

    def drop(self) -> None:
        self._sock.close()

    def _exchange(self) -> list[bytes]:
        self._send()
        return list(self._client.take(self._sock.recv(65_535)))

    def _send(self) -> None:
        for datagram in self._client.outgoing():
            self._sock.send(datagram)


def bench_handshakes(certificate: Path, device: DeviceTls) -> None:
    with contextlib.ExitStack() as stack:
        servers = {kind: stack.enter_context(listening(kind, certificate)) for kind in KINDS}
        show_handshakes(
            "mutual DTLS handshake",
            servers,
            lambda port: Association(port, device).close(),
            HANDSHAKES,
            {"ours": f"at most {AIM:g}"},
        )


def bench_associations(certificate: Path, device: DeviceTls) -> None:
    print()
    for kind in KINDS:
        with listening(kind, certificate) as (pid, port):
            for _ in range(20):
                Association(port, device).close()
            before_mib = resident_mib(pid)
            held = [Association(port, device) for _ in range(HELD)]
            each_kib = (resident_mib(pid) - before_mib) * 1024 / HELD
            show(f"idle mutual DTLS association, {kind}", f"{each_kib:.1f} KiB")
            for one in held:
                one.drop()
