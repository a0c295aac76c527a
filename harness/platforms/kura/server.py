"""The server of the Kura namespace as commands know it."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.servers.description import ServerDescription
from fleetrig.simulator.contract.identity import UserPassword

SERVER: Final = ServerDescription(
    title="Kura",
    summary="Kura namespace, open profile: accounts, provision requests with activation keys, gateways that are moved.",
    listeners=("http", "mqtt", "mqtts"),
    defaults={"http": "127.0.0.1:8081", "mqtt": "127.0.0.1:1883", "mqtts": "127.0.0.1:8883"},
    admin="http",
    profiles=("open", "kapua-lax"),
    account=UserPassword("kapua-sys", "kapua-password"),
    tenant="kapua-sys",
)
"""The ports are those of Kapua's broker and REST API; the account is its first administrator's."""
