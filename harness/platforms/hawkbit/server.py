"""hawkBit's server as commands know it."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.servers.description import ServerDescription
from fleetrig.simulator.contract.identity import UserPassword

LINE: Final = UserPassword("line", "line")
"""The manufacturing line's account on our own server in a run: it may create targets, and nothing else."""

SERVER: Final = ServerDescription(
    title="hawkBit",
    summary="Eclipse hawkBit: software updates over HTTP.",
    listeners=("http", "https"),
    defaults={"http": "127.0.0.1:8080"},
    admin="http",
    profiles=("1.1", "0.9", "as-documented"),
    account=UserPassword("admin", "admin"),
    tenant="DEFAULT",
)
