"""Hono's server as commands know it."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.servers.description import ServerDescription
from fleetrig.simulator.contract.identity import UserPassword

SERVER: Final = ServerDescription(
    title="Hono",
    summary="Eclipse Hono: tenants with trusted authorities, devices that provision themselves with a certificate.",
    listeners=("registry", "http", "https", "mqtt", "mqtts", "coap", "coaps"),
    defaults={
        "registry": "127.0.0.1:28080",
        "http": "127.0.0.1:8080",
        "https": "127.0.0.1:8443",
        "mqtt": "127.0.0.1:1883",
        "mqtts": "127.0.0.1:8883",
        "coap": "127.0.0.1:5683",
        "coaps": "127.0.0.1:5684",
    },
    admin="registry",
    profiles=("2", "2-jdbc", "2-mongodb", "1"),
    account=UserPassword("", ""),
    tenant="DEFAULT_TENANT",
)
"""The ports are those of Hono's adapters, and of the registry in its example deployments, which need no account."""
