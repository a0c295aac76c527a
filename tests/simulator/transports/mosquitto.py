"""A mosquitto of the tests' own, with a plain listener and one with TLS that demands a certificate."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from tests.peers.programs import Program, need_program, until

PACKAGE = "mosquitto"
CLIENTS_PACKAGE = "mosquitto-clients"
USER, PASSWORD = "dev", "open sesame"


@dataclass(frozen=True)
class Mosquitto:
    """A broker that runs. Behind `password_port` only `USER` is let in."""

    port: int
    tls_port: int
    password_port: int
    program: Program

    def client(self, name: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Runs `mosquitto_pub`, `_sub` or `_rr` to its end."""
        command = [need_program(f"mosquitto_{name}", CLIENTS_PACKAGE), "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run([*command, *options], capture_output=True, text=True, timeout=30, check=False)


@contextmanager
def running_mosquitto(folder: Path, ca: trustme.CA) -> Iterator[Mosquitto]:
    broker = need_program("mosquitto", PACKAGE)
    with ports(3) as numbers:
        config = folder / "mosquitto.conf"
        config.write_text(configuration(folder, ca, numbers))
        program = Program("mosquitto", [broker, "-c", str(config)], folder / "log", dict(os.environ))
        try:
            until("it listens", lambda: all(map(is_open, numbers)) or None, program)
            plain, tls, with_password = numbers
            yield Mosquitto(plain, tls, with_password, program)
        finally:
            program.show()
            program.stop()


def configuration(folder: Path, ca: trustme.CA, numbers: list[int]) -> str:
    server = ca.issue_cert("127.0.0.1", "localhost")
    ca.cert_pem.write_to_path(folder / "ca.pem")
    server.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    passwords = folder / "passwords"
    command = [need_program("mosquitto_passwd", PACKAGE), "-b", "-c", str(passwords), USER, PASSWORD]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    plain, tls, with_password = numbers
    return f"""
per_listener_settings true
log_type error
log_type warning
user {getpass.getuser()}
listener {plain} 127.0.0.1
allow_anonymous true
listener {tls} 127.0.0.1
allow_anonymous true
cafile {folder / "ca.pem"}
certfile {folder / "server.pem"}
keyfile {folder / "server.pem"}
require_certificate true
listener {with_password} 127.0.0.1
allow_anonymous false
password_file {passwords}
"""


@contextmanager
def ports(count: int) -> Iterator[list[int]]:
    """Nobody else is given them; who listens there sets SO_REUSEADDR, as servers do."""
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(("127.0.0.1", 0))
        yield [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
