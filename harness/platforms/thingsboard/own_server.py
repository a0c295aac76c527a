"""ThingsBoard as our own reference server plays it for a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fleetrig.harness.platform import OwnServer, ProxiedServer
from fleetrig.harness.platforms.thingsboard.serve import builder_of, settings_from
from fleetrig.harness.platforms.thingsboard.server import SERVER
from fleetrig.reference_server.platform import ClientVerifier, PlatformBuilder


def build(properties: Mapping[str, str], profile: str) -> PlatformBuilder:
    """Raises ValueError for an unknown property, UsageError for an unknown profile."""
    return builder_of(settings_from(properties, profile))


def build_for_certificates(properties: Mapping[str, str], profile: str, _: ClientVerifier) -> PlatformBuilder:
    """The same: the platform looks at certificates itself, and trusts whom its device profiles name."""
    return build(properties, profile)


PLAIN: Final = {
    "http": "http://thingsboard.test:8080",
    "mqtt": "mqtt://thingsboard.test:1883",
    "coap": "coap://thingsboard.test:5683",
}
OVER_TLS: Final = {"mqtts": "mqtts://thingsboard.test:8883", "coaps": "coaps://thingsboard.test:5684"}
OWN_SERVER: Final = OwnServer(
    build, PLAIN, SERVER.account, proxied=ProxiedServer(OVER_TLS, build_for_certificates, judges_itself=True)
)
