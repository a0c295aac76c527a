"""What the program of a gateway is told: where to connect, as whom, and how to provision itself."""

from __future__ import annotations

from collections.abc import Mapping

from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import Credential, DeviceIdentity, UserPassword
from fleetrig.simulator.effects import Behaviour
from fleetrig.simulator.flows.kura.components import DataService, MqttDataTransport, ProvisioningService
from fleetrig.simulator.flows.kura.flow import KuraGateway
from fleetrig.simulator.flows.kura.settings import GatewayHardware, KuraSettings


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


def given_device(values: Mapping[str, str]) -> tuple[DeviceIdentity, KuraGateway]:
    """Our own gateway that is told the same. Raises UsageError for a number that is none."""
    begins = values.get("provisioning") == "true"
    settings = KuraSettings(
        provisioning=_provisioning(values) if begins else ProvisioningService(),
        transport=MqttDataTransport() if begins else _transport(values),
        data=DataService(retry_interval_s=_number(values, "reconnect_interval_s", 60)),
        hardware=GatewayHardware(mac=values.get("mac", ""), serial_number=values.get("serial_number") or None),
        trust_anchors={"factory": pem} if (pem := values.get("trust_anchors")) else {},
        telemetry_interval_s=_number(values, "telemetry_interval_s", 60),
    )
    return DeviceIdentity(values.get("id", "")), KuraGateway(settings)


def _provisioning(values: Mapping[str, str]) -> ProvisioningService:
    return ProvisioningService(
        enabled=True,
        ca_authentication=values.get("ca_authentication") == "true",
        broker_url=values.get("broker_url", ""),
        account_name=values.get("account_name", ""),
        username=values.get("user_name", ""),
        password=values.get("password", ""),
        activation_key=values.get("activation_key", ""),
        client_id=values.get("client_id", ""),
        retry_interval_s=_number(values, "retry_interval_s", 60),
        retry_max_attempts=_number(values, "retry_max_attempts", -1),
        timeout_s=_number(values, "timeout_s", 60),
    )


def _transport(values: Mapping[str, str]) -> MqttDataTransport:
    return MqttDataTransport(
        broker_url=values.get("broker_url", ""),
        account_name=values.get("account_name", ""),
        username=values.get("user_name", ""),
        password=values.get("password", ""),
        client_id=values.get("client_id", ""),
    )


def _number(values: Mapping[str, str], name: str, usual: int) -> int:
    text = values.get(name) or str(usual)
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        raise UsageError(f"a gateway is told {name}={text!r}: expected a number") from None
