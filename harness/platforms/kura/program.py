"""What the program of a gateway is told: where to connect, as whom, and how to provision itself."""

from __future__ import annotations

from collections.abc import Mapping

from fleetrig.simulator.contract.identity import Credential, UserPassword
from fleetrig.simulator.effects import Behaviour
from fleetrig.simulator.flows.kura.flow import KuraGateway


def credential_values(credential: Credential | None) -> Mapping[str, str]:
    """User name and password: of the provisioning account, or of the account that it is configured for."""
    if isinstance(credential, UserPassword):
        return {"user_name": credential.user, "password": credential.password}
    return dict.fromkeys(("user_name", "password"), "")


def behaviour_values(behaviour: Behaviour) -> Mapping[str, str]:
    """Every value is text; empty where there is none. `provisioning` is `true` for one that provisions itself; one
    without a client id makes its user name, too. `trust_anchors` is PEM."""
    assert isinstance(behaviour, KuraGateway)
    settings = behaviour.settings
    provisioning, transport = settings.provisioning, settings.transport
    begins = provisioning.enabled and not provisioning.provisioned
    makes_its_names = begins and not provisioning.client_id
    return {
        **({"user_name": ""} if makes_its_names else {}),
        "provisioning": "true" if begins else "",
        "broker_url": provisioning.broker_url if begins else transport.broker_url,
        "account_name": provisioning.account_name if begins else transport.account_name,
        "client_id": provisioning.client_id if begins else transport.client_id,
        "activation_key": provisioning.activation_key if begins else "",
        "mac": settings.hardware.mac,
        "serial_number": settings.hardware.serial_number or "",
        "ca_authentication": "true" if provisioning.ca_authentication else "",
        "trust_anchors": "".join(settings.trust_anchors.values()),
        "retry_interval_s": str(provisioning.retry_interval_s),
        "retry_max_attempts": str(provisioning.retry_max_attempts),
        "timeout_s": str(provisioning.timeout_s),
        "reconnect_interval_s": str(settings.data.retry_interval_s),
        "telemetry_interval_s": "" if settings.telemetry_interval_s is None else f"{settings.telemetry_interval_s:g}",
    }
