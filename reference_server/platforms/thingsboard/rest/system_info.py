"""What the server says it is (SystemInfoController): `fleetrig` reads the generation of a stranger's server here."""

from __future__ import annotations

from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.http.errors import HttpRefusal
from fleetrig.reference_server.platforms.thingsboard.http.replies import Reply


def read(call: Call) -> Reply:
    """GET /api/system/info, for everybody who has logged in; older servers have no such path."""
    version = call.registry.traits.told_version
    if not version:
        message = f"No static resource {call.path[1:]}."
        raise HttpRefusal(404, message, reason="this generation does not tell its version")
    told = {"version": version, "artifact": "application", "name": "ThingsBoard Server Application", "type": "CE"}
    return Reply(document=told)
