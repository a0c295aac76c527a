"""What the program of a Hono device is told: where to send, as whom, and what."""

from __future__ import annotations

from collections.abc import Mapping

from fleetrig.simulator.contract.identity import Credential, PreSharedKey, UserPassword
from fleetrig.simulator.effects import Behaviour
from fleetrig.simulator.flows.hono.flow import HonoDevice


def credential_values(credential: Credential | None) -> Mapping[str, str]:
    """User name and password; a certificate and a key are given as files."""
    values = dict.fromkeys(("user_name", "password", "psk_identity", "psk"), "")
    match credential:
        case UserPassword(user, password):
            values |= {"user_name": user, "password": password}
        case PreSharedKey(identity, key):
            values |= {"psk_identity": identity, "psk": key.decode("utf-8", "replace")}
    return values


def behaviour_values(behaviour: Behaviour) -> Mapping[str, str]:
    """Every value is text; empty where there is none. `gateway` is `true` or empty, `ttd_s` for how long it listens."""
    assert isinstance(behaviour, HonoDevice)
    settings = behaviour.settings
    return {
        "adapter_url": settings.url,
        "endpoint": str(settings.endpoint),
        "qos": "1" if settings.at_least_once else "0",
        "gateway": "" if settings.edge_devices is None else "true",
        "edge_devices": " ".join(settings.edge_devices or ()),
        "ttd_s": "" if settings.ttd_s is None else str(settings.ttd_s),
        "telemetry_interval_s": f"{settings.telemetry_interval_s:g}",
    }
