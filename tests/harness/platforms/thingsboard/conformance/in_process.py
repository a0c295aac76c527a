"""A reference server in this process, so that its modules can be changed while rows judge it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.platforms.thingsboard.conformance.under_test import ServerUnderTest
from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.platforms.thingsboard.platform import ThingsBoardPlatform
from fleetrig.reference_server.platforms.thingsboard.state.settings import Settings
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.identity import UserPassword
from tests.reference_server.echo import running

LISTENERS = ("http", "mqtt", "mqtts", "coap", "coaps")


@contextlib.contextmanager
def reference(settings: Settings | None = None) -> Iterator[ServerUnderTest]:
    """All listeners and a clock that can be moved. Fails when the server had a bug."""
    used = settings or Settings()

    def build(store: Store, blobs: Blobs, entropy: Entropy) -> ThingsBoardPlatform:
        return ThingsBoardPlatform(store, blobs, entropy, replace(used))

    platform = PlatformOptions("thingsboard", build, dict.fromkeys(LISTENERS, ANY_LOOPBACK_PORT), ClientAuth.ANY)
    with running() as bench:
        server = ReferenceServer(ServerOptions((platform,), control=ANY_LOOPBACK_PORT))
        bench.run(server)
        addresses = server.addresses["thingsboard"]
        account = UserPassword(used.accounts[0].email, used.accounts[0].password)
        with (
            contextlib.closing(ExactClient(f"http://{addresses['http']}", within_s=20)) as http,
            contextlib.closing(ExactClient(server.control_url)) as control,
        ):
            places = {name: (one.host, one.port) for name, one in addresses.items() if name != "http"}
            sysadmin = UserPassword(used.administrator.email, used.administrator.password)
            yield ServerUnderTest(http, places, account, str(used.profile), control, sysadmin)
        assert server.bugs == []
