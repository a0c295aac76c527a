"""One server for all of Hono's peers; each test has a tenant of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetrig.reference_server.reference import SystemClock
from fleetrig.simulator.certificates.authority import CertificateAuthority
from tests.peers.hono.serving import Operator, ServedHono, Shown, Workshop

HOSTS = ("localhost", "127.0.0.1", "sni-one.localhost", "sni-two.localhost")
"""The server's names: a device may ask for its tenant by name."""


@pytest.fixture(scope="session")
def server_ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whom to trust; beside it lie the server's certificate and its key."""
    folder = tmp_path_factory.mktemp("server")
    authority = CertificateAuthority("Server CA", SystemClock().now_us())
    issued = authority.issue_server(HOSTS)
    (folder / "server.pem").write_bytes(issued.certificate_pem)
    (folder / "server.key").write_bytes(issued.key_pem)
    ca = folder / "ca.pem"
    ca.write_bytes(authority.certificate_pem)
    return ca


@pytest.fixture(scope="session")
def hono(tmp_path_factory: pytest.TempPathFactory, server_ca: Path) -> Iterator[ServedHono]:
    own = ("--cert", str(server_ca.parent / "server.pem"), "--key", str(server_ca.parent / "server.key"))
    with ServedHono(tmp_path_factory.mktemp("hono"), *own) as served:
        yield served


@pytest.fixture(scope="session")
def operator(hono: ServedHono) -> Operator:
    return Operator(hono)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


@pytest.fixture
def tenant(request: pytest.FixtureRequest) -> str:
    """A name that no other test uses."""
    module = request.node.module.__name__.rpartition("_")[2]
    return re.sub(r"[^a-z0-9]+", "-", f"{module} {request.node.name.removeprefix('test_')}".lower()).strip("-")


@pytest.fixture
def ca(workshop: Workshop, tenant: str) -> Shown:
    """An authority of the tenant's own: its subject names one tenant only."""
    return workshop.authority(f"/O=ACME/OU=iot/CN={tenant[-60:]}")


@pytest.fixture
def device(workshop: Workshop, ca: Shown) -> Shown:
    return workshop.device("/O=ACME/OU=iot/CN=device-1", ca)
