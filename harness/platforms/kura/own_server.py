"""The Kura namespace as our own reference server plays it for a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fleetrig.harness.platform import OwnServer, ProxiedServer
from fleetrig.harness.platforms.kura.serve import builder_of, settings_from
from fleetrig.harness.platforms.kura.server import SERVER
from fleetrig.reference_server.platform import ClientVerifier, PlatformBuilder


def build(properties: Mapping[str, str], profile: str) -> PlatformBuilder:
    """Raises ValueError for an unknown property, UsageError for an unknown profile."""
    return builder_of(settings_from(properties, profile))


def build_over_tls(properties: Mapping[str, str], profile: str, _: ClientVerifier) -> PlatformBuilder:
    """The same: nobody is asked for a certificate."""
    return build(properties, profile)


PLAIN: Final = {"http": "http://kura.test:8081", "mqtt": "mqtt://kura.test:1883"}
OVER_TLS: Final = {"mqtts": "mqtts://kura.test:8883"}
OWN_SERVER: Final = OwnServer(
    build, PLAIN, SERVER.account, proxied=ProxiedServer(OVER_TLS, build_over_tls, judges_itself=True)
)
