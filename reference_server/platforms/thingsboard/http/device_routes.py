"""Every path that devices call over HTTP, in one table (sections 1.5 and 3.3)."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.thingsboard.http import device_calls, provision_call
from fleetrig.reference_server.platforms.thingsboard.http.routing import Route

DEVICE: Final = "/api/v1/{deviceToken}"

DEVICE_ROUTES: Final[tuple[Route, ...]] = (
    Route("POST", "/api/v1/provision", provision_call.provision),
    Route("POST", DEVICE + "/telemetry", device_calls.post_telemetry),
    Route("POST", DEVICE + "/attributes", device_calls.post_attributes),
    Route("GET", DEVICE + "/attributes", device_calls.read_attributes, says_json=True),
    Route("GET", DEVICE + "/attributes/updates", device_calls.await_attributes, says_json=True),
    Route("GET", DEVICE + "/rpc", device_calls.await_command, says_json=True),
    Route("POST", DEVICE + "/rpc", device_calls.ask_server),
    Route("POST", DEVICE + "/rpc/{requestId}", device_calls.answer_command),
    Route("POST", DEVICE + "/claim", device_calls.offer_claim),
    Route("GET", DEVICE + "/firmware", device_calls.read_firmware),
    Route("GET", DEVICE + "/software", device_calls.read_software),
)
