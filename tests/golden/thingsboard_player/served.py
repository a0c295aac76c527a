"""Our ThingsBoard on real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.platforms.thingsboard.platform import ThingsBoardPlatform
from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from fleetrig.reference_server.platforms.thingsboard.state.settings import Settings
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from tests.golden.served import Served, serving

LISTENERS = ("http", "mqtt", "mqtts", "coap", "coaps")


@contextmanager
def served(store: str = "memory:", profile: Profile = Profile.CURRENT) -> Iterator[Served]:
    def build(store: Store, blobs: Blobs, entropy: Entropy) -> ThingsBoardPlatform:
        return ThingsBoardPlatform(store, blobs, entropy, Settings(profile=profile))

    listeners = dict.fromkeys(LISTENERS, ANY_LOOPBACK_PORT)
    platform = PlatformOptions("thingsboard", build, listeners, ClientAuth.ANY)
    with serving(ServerOptions((platform,), store=store)) as one:
        yield one
