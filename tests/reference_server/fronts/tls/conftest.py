from __future__ import annotations

from collections.abc import Iterator

import pytest

from fleetrig.reference_server.fronts.tls.throw_away import ServerCertificates
from tests.reference_server.fronts.conftest import Loop
from tests.reference_server.fronts.tls.tls_bench import TlsBench, now_us


@pytest.fixture(scope="session")
def certificates() -> Iterator[ServerCertificates]:
    made = ServerCertificates([], now_us())
    yield made
    made.close()


@pytest.fixture
def tls_bench(loop: Loop, certificates: ServerCertificates) -> Iterator[TlsBench]:
    bench = TlsBench(loop, certificates)
    yield bench
    bench.close()
