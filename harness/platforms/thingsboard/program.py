"""What the program of a ThingsBoard device is told: whom to ask, the key of its make, and what to ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fleetrig.simulator.effects import Behaviour
from fleetrig.simulator.flows.thingsboard.credentials import AccessToken, Credentials, MqttBasic, OwnCertificate
from fleetrig.simulator.flows.thingsboard.flow import ThingsBoardDevice

OWN: Final = ("credentials_type", "access_token", "client_id", "user_name", "password")
"""Of what it brings along; all are empty where the server shall make a token."""


def behaviour_values(behaviour: Behaviour) -> Mapping[str, str]:
    """Every value is text; empty where there is none. `gateway` is `true` or empty."""
    assert isinstance(behaviour, ThingsBoardDevice)
    key, settings = behaviour.key, behaviour.settings
    return {
        "provision_url": settings.provision_url,
        "provision_key": "" if key is None else key.key,
        "provision_secret": "" if key is None else key.secret,
        **dict.fromkeys(OWN, ""),
        **own_values(behaviour.own),
        "gateway": "" if settings.children is None else "true",
        "children": " ".join(settings.children or ()),
        "telemetry_interval_s": f"{settings.telemetry_interval_s:g}",
    }


def own_values(own: Credentials | None) -> Mapping[str, str]:
    """A certificate itself is given as a file."""
    match own:
        case AccessToken(token):
            return {"credentials_type": "ACCESS_TOKEN", "access_token": token}
        case MqttBasic(client_id, user_name, password):
            parts = {"client_id": client_id, "user_name": user_name, "password": password}
            return {"credentials_type": "MQTT_BASIC", **parts}
        case OwnCertificate():
            return {"credentials_type": "X509_CERTIFICATE"}
        case None:
            return {}
