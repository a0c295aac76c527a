"""Who it is that connects: by a client certificate, a password, a signed token or a pre-shared key (spec 2.2, 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from fleetrig.reference_server.platforms.hono.state.records import Tenant

HTTP: Final = "hono-http"
MQTT: Final = "hono-mqtt"
COAP: Final = "hono-coap"

Phase = Literal["authentication", "connecting"]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """An authenticated device. Whether it is registered and may send is asked later (`assertion`)."""

    tenant: Tenant
    device_id: str
    auth_id: str
    called: str
    """What the trace calls it: the common name of its certificate, else its auth-id. Device ids may be chance."""
    steps: tuple[str, ...] = ()
    changed: str = ""


@dataclass(frozen=True, slots=True)
class Denied:
    """Why not; each adapter says it in its own way.

    `status` and `error` are those of HTTP. `during`: what 401 and 404 of an authentication are told as, they are not
    when they come later (CONNACK 4 and 5). `rollback`: nothing of what was done stays.
    """

    status: int
    error: str
    reason: str
    steps: tuple[str, ...] = ()
    during: Phase = "authentication"
    called: str = ""
    changed: str = ""
    rollback: bool = False
