"""Mutual TLS: what a handshake costs our listeners beside a bare one of asyncio, and what an idle connection holds."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetrig.simulator.certificates.authority import CertificateAuthority
from tests.benchmarks.measure import resident_mib, show, show_handshakes

KINDS = ("bare", "tickets", "required", "any")
HANDSHAKES = 200
IDLE = 500
AIM = 1.3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    authority = CertificateAuthority("bench", time.time_ns() // 1000)
    issued, device = authority.issue_server(["localhost"]), authority.issue_client("device")
    (folder / "ca.pem").write_bytes(authority.certificate_pem)
    (folder / "server.pem").write_bytes(issued.key_pem + issued.certificate_pem)
    (folder / "device.pem").write_text(device.key_pem.decode() + ssl.DER_cert_to_PEM_cert(device.chain[0]))
    return folder


@contextlib.contextmanager
def listening(kind: str, folder: Path) -> Iterator[tuple[int, int]]:
    """(pid, port)"""
    command = [sys.executable, "-m", "tests.benchmarks.tls_listener", kind, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.pid, int(process.stdout.readline())
        finally:
            process.kill()


def device_context(folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    context.load_cert_chain(folder / "device.pem")
    return context


def connect(port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    """Returns when the server has taken the certificate too."""
    raw = socket.create_connection(("127.0.0.1", port))
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer = context.wrap_socket(raw, server_hostname="localhost")
    peer.sendall(b"x")
    assert peer.recv(1) == b"x"
    return peer


def bench_handshakes(folder: Path) -> None:
    context = device_context(folder)
    with contextlib.ExitStack() as stack:
        servers = {kind: stack.enter_context(listening(kind, folder)) for kind in KINDS}
        show_handshakes(
            "mutual TLS handshake",
            servers,
            lambda port: connect(port, context).close(),
            HANDSHAKES,
            dict.fromkeys(("required", "any"), f"at most {AIM:g}"),
        )


def bench_idle_connections(folder: Path) -> None:
    context = device_context(folder)
    print()
    for kind in KINDS:
        with listening(kind, folder) as (pid, port):
            connect(port, context).close()
            before_mib = resident_mib(pid)
            held = [connect(port, context) for _ in range(IDLE)]
            each_kib = (resident_mib(pid) - before_mib) * 1024 / IDLE
            show(f"idle mutual TLS connection, {kind}", f"{each_kib:.1f} KiB")
            for one in held:
                one.close()
