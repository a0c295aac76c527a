"""What devices are told of errors over MQTT and CoAP (ServiceInvocationException.getErrorMessageForExternalClient)."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.hono.provisioning.sign_in import Denied

SERVICE_UNAVAILABLE: Final = "Temporarily unavailable"
OF_SERVERS: Final = {500: "Internal server error", 503: SERVICE_UNAVAILABLE}
"""What a server's own failures are told as, whatever is known of them."""


def text_for_devices(denied: Denied) -> str:
    return OF_SERVERS.get(denied.status, denied.error)
