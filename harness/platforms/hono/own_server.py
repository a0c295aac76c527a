"""Hono as our own reference server plays it for a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fleetrig.harness.platform import OwnServer, ProxiedServer
from fleetrig.harness.platforms.hono.serve import builder_of, settings_from
from fleetrig.harness.platforms.hono.server import SERVER
from fleetrig.reference_server.platform import ClientVerifier, PlatformBuilder


def build(properties: Mapping[str, str], profile: str) -> PlatformBuilder:
    """Raises ValueError for an unknown property, UsageError for an unknown profile."""
    return builder_of(settings_from(properties, profile))


def build_for_certificates(properties: Mapping[str, str], profile: str, _: ClientVerifier) -> PlatformBuilder:
    """The same: the platform looks at certificates itself, and trusts whom its tenants name."""
    return build(properties, profile)


PLAIN: Final = {
    "registry": "http://registry.hono.test:28080",
    "http": "http://hono.test:8080",
    "mqtt": "mqtt://hono.test:1883",
    "coap": "coap://hono.test:5683",
}
OVER_TLS: Final = {
    "https": "https://hono.test:8443",
    "mqtts": "mqtts://hono.test:8883",
    "coaps": "coaps://hono.test:5684",
}
OWN_SERVER: Final = OwnServer(
    build, PLAIN, SERVER.account, proxied=ProxiedServer(OVER_TLS, build_for_certificates, judges_itself=True)
)
