"""libcoap's example server in a process of its own: CoAP on a port, DTLS with certificates and a key on the next."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from fleetrig.simulator.contract.identity import ClientCertificate, PreSharedKey, TlsCredential
from fleetrig.simulator.transports.client_tls import ClientTls, DeviceTls
from tests.peers.programs import Program, need_program, until

KEY = PreSharedKey("sensor1@T", b"secret for sensor1")


@dataclass(frozen=True)
class Libcoap:
    """The server; DTLS is on the next port. `authority` has issued its certificate, and issues those it trusts."""

    program: Program
    port: int
    authority: trustme.CA

    @property
    def origin(self) -> str:
        return f"coap://127.0.0.1:{self.port}"

    @property
    def secure_origin(self) -> str:
        return f"coaps://127.0.0.1:{self.port + 1}"

    def shows(self, shown: TlsCredential | None, authority: trustme.CA | None = None) -> DeviceTls:
        trusted = (authority or self.authority).cert_pem.bytes().decode()
        return ClientTls(ssl.create_default_context(cadata=trusted)).of(shown)


def two_free_ports() -> int:
    """The first of them."""
    while True:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as second,
        ):
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


def is_bound(port: int) -> bool:
    """`00000000:1633` in the table of UDP sockets."""
    return any(f":{port:04X} " in line for line in Path("/proc/net/udp").read_text().splitlines())


@contextmanager
def running_libcoap(folder: Path) -> Iterator[Libcoap]:
    program = need_program("coap-server-openssl", "libcoap3-bin")
    authority, port = trustme.CA(), two_free_ports()
    own = authority.issue_cert("127.0.0.1")
    own.private_key_pem.write_to_path(folder / "key.pem")
    own.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    files = ["-c", str(folder / "cert.pem"), "-j", str(folder / "key.pem"), "-C", str(folder / "ca.pem")]
    command = [program, "-A", "127.0.0.1", "-p", str(port), "-k", KEY.key.decode(), "-v", "6", *files]
    server = Program("coap-server", command, folder / "log", {})
    try:
        until("both ports are open", lambda: is_bound(port) and is_bound(port + 1), server)
        yield Libcoap(server, port, authority)
    finally:
        server.stop()


def certificate_from(authority: trustme.CA) -> ClientCertificate:
    issued = authority.issue_cert("dev-1.test")
    chain = tuple(ssl.PEM_cert_to_DER_cert(pem.bytes().decode()) for pem in issued.cert_chain_pems)
    return ClientCertificate(chain, issued.private_key_pem.bytes())
