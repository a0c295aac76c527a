"""ThingsBoard's server as commands know it."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.servers.description import ServerDescription
from fleetrig.simulator.contract.identity import UserPassword

SERVER: Final = ServerDescription(
    title="ThingsBoard",
    summary="ThingsBoard: provisioning by key and secret over MQTT, HTTP and CoAP, and by certificate chains.",
    listeners=("http", "https", "mqtt", "mqtts", "coap", "coaps"),
    defaults={
        "http": "127.0.0.1:8080",
        "mqtt": "127.0.0.1:1883",
        "mqtts": "127.0.0.1:8883",
        "coap": "127.0.0.1:5683",
        "coaps": "127.0.0.1:5684",
    },
    admin="http",
    profiles=("4.3", "4.2", "3.2", "as-documented"),
    account=UserPassword("tenant@thingsboard.org", "tenant"),
    tenant="Tenant",
)
"""The ports are ThingsBoard's own, the account is that of its demo tenant (spec 4)."""
