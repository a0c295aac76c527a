"""A reference server in this process, so that its modules can be changed while rows judge it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.platforms.hono.conformance.suite import OWN_SILENCE_S
from fleetrig.harness.platforms.hono.conformance.under_test import LISTENERS, ServerUnderTest
from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.platforms.hono.platform import HonoPlatform
from fleetrig.reference_server.platforms.hono.state.settings import Settings
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from tests.reference_server.echo import running

REGISTRY = "registry"
KEPT = ("hono.tenant", "hono.trust_anchor", "hono.device", "hono.credentials")
CROWD = 30


@contextlib.contextmanager
def reference(settings: Settings | None = None) -> Iterator[ServerUnderTest]:
    """The registry and all adapters. Fails when the server had a bug."""
    used = settings or Settings()

    def build(store: Store, blobs: Blobs, entropy: Entropy) -> HonoPlatform:
        return HonoPlatform(store, blobs, entropy, used)

    listeners = dict.fromkeys((REGISTRY, *LISTENERS), ANY_LOOPBACK_PORT)
    with running() as bench:
        server = ReferenceServer(ServerOptions((PlatformOptions("hono", build, listeners, ClientAuth.ANY),),
                                               control=ANY_LOOPBACK_PORT))  # fmt: skip
        bench.run(server)
        addresses = server.addresses["hono"]
        with (
            contextlib.closing(ExactClient(f"http://{addresses[REGISTRY]}", within_s=20)) as http,
            contextlib.closing(ExactClient(server.control_url)) as control,
        ):
            places = {name: (one.host, one.port) for name, one in addresses.items() if name != REGISTRY}
            yield ServerUnderTest(http, places, None, str(used.profile), control, crowd=CROWD, silence_s=OWN_SILENCE_S)
        assert server.bugs == []


def records(server: ServerUnderTest) -> dict[str, int]:
    """How many of each kind the registry keeps, also those that nobody can reach any more."""
    assert server.control is not None
    found: dict[str, int] = server.control.call("GET", "/").json()["records"]
    return {kind: number for kind, number in found.items() if kind in KEPT and number}
