"""One contact of a device on its way through the steps: what is known of it so far, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from fleetrig.reference_server.platforms.hono.provisioning.steps import Step
from fleetrig.reference_server.platforms.hono.state.records import Tenant
from fleetrig.reference_server.platforms.hono.state.registry import Registry

HTTP: Final = "hono-http"
MQTT: Final = "hono-mqtt"
COAP: Final = "hono-coap"
"""The adapters, as tenants name them."""


@dataclass(frozen=True, slots=True)
class Identified:
    """Whose credentials they are. `expires_us`: when they are of no use any more."""

    tenant: Tenant
    device_id: str
    auth_id: str
    expires_us: int | None = None


@dataclass(slots=True)
class Contact:
    """`adapter`: where it came in. It is told on the server lane, whatever it comes to."""

    registry: Registry
    adapter: str
    now_us: int
    called: str = ""
    """What the trace calls the device."""
    steps: list[Step] = field(default_factory=list)
    changed: str = ""
    took_us: int = 0
    """How long the real server takes over it; others see meanwhile that it is not done."""

    def took(self, step: Step) -> None:
        self.steps.append(step)
