"""The `devices` block of a file, and what a run has made for a device, as the settings of a gateway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from fleetrig.harness.platforms.kura.device_words import (
    CloudServiceWords,
    DataServiceWords,
    ProvisioningWords,
    TransportWords,
)
from fleetrig.harness.platforms.kura.kura_run import KuraRun
from fleetrig.harness.platforms.kura.settings import BOOTSTRAP
from fleetrig.harness.scenario_file.scenario import Devices
from fleetrig.simulator.effects import Behaviour
from fleetrig.simulator.flows.kura.components import CloudService, DataService, MqttDataTransport, ProvisioningService
from fleetrig.simulator.flows.kura.flow import KuraGateway
from fleetrig.simulator.flows.kura.settings import GatewayHardware, KuraSettings

UNDER_TEST: Final = "server"
"""In `other_connections`."""
AS_THEY_ARE: Final = ("telemetry", "connection_name", "default_connection_only", "signed_control")
"""Keys that the file and the flow call alike."""


def behaviour_of(run: KuraRun, serial: str) -> Behaviour:
    """What the factory gives to a unit. Raises UsageError for what no gateway could do."""
    return KuraGateway(settings_of(run, serial))


def settings_of(run: KuraRun, serial: str) -> KuraSettings:
    """Of one device, with all that it has to present."""
    devices, names = run.context.devices_block(serial), run.names(serial)
    form = getattr(devices, "client_id", None) or "serial"
    trusts = getattr(devices, "trusts_authority", None)
    usual = KuraSettings(
        provisioning=provisioning_of(run, serial, form),
        transport=transport_of(run, serial, form),
        data=data_service(devices),
        cloud=cloud_service(devices),
        hardware=GatewayHardware(mac=names.mac, serial_number=names.serial),
        client_id_with_colons=form == "mac-with-colons",
        trust_anchors={} if trusts is False else run.trust_anchors,
        signing_certificates={} if run.kind in BOOTSTRAP else run.signing_certificates_of(run.first_account),
        asks_for_certificate=words_of(devices, ProvisioningWords).asks_for_certificate,
        other_instances=other_instances(run, devices),
        telemetry_qos=1 if getattr(devices, "at_least_once", None) else 0,
        asks_for_acknowledgement=bool(getattr(devices, "at_least_once", None)),
        telemetry_interval_s=None if getattr(devices, "telemetry_messages", None) == 0 else devices.interval_s,
        telemetry_messages=getattr(devices, "telemetry_messages", None) or None,
        clock_error_s=run.clock_error_s(serial),
        quirks=frozenset(getattr(devices, "quirks", None) or ()),
        start_spread_s=devices.start_spread_s if devices.external else 0.0,
        stays_on=devices.external,
    )
    given = {name: getattr(devices, name, None) for name in AS_THEY_ARE}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return replace(usual, **changes)


def words_of(devices: Devices, kind: type[Any]) -> Any:
    """A service's own block of the file; its usual words where there is none."""
    names: Mapping[type[Any], str] = {
        ProvisioningWords: "provisioning",
        DataServiceWords: "data_service",
        TransportWords: "transport",
        CloudServiceWords: "cloud_service",
    }
    given = getattr(devices, names[kind], None)
    return kind() if given is None else given


def provisioning_of(run: KuraRun, serial: str, form: str) -> ProvisioningService:
    """A device that is configured by hand has the same parameters, but does not begin by itself."""
    devices = run.context.scenario.devices
    words: ProvisioningWords = words_of(devices, ProvisioningWords)
    credential = run.bootstrap_of(serial)
    return ProvisioningService(
        enabled=words.enabled and run.kind in BOOTSTRAP,
        ca_authentication=words.ca_authentication,
        broker_url=words.broker_url or run.url(tls=bool(getattr(devices, "tls", None))),
        account_name=words.account or run.provision_account,
        username=words.user_name or "",
        password="" if credential is None else credential.password,
        activation_key=run.activation_key_of(serial),
        client_id=run.names(serial).client_id if form == "serial" else "",
        retry_interval_s=int(words.retry_interval_s),
        retry_max_attempts=words.retry_max_attempts,
        timeout_s=int(words.timeout_s),
    )


def transport_of(run: KuraRun, serial: str, form: str) -> MqttDataTransport:
    devices = run.context.scenario.devices
    words: TransportWords = words_of(devices, TransportWords)
    usual = MqttDataTransport(
        keep_alive_s=int(words.keep_alive_s), timeout_s=int(words.timeout_s), clean_session=words.clean_session
    )
    if not words.lwt:
        usual = replace(usual, lwt_topic="")
    if run.kind in BOOTSTRAP:
        return usual
    credential = run.credential_of(serial)
    return replace(
        usual,
        broker_url=run.url(tls=bool(getattr(devices, "tls", None))),
        account_name=run.account_name(run.first_account),
        username=credential.user,
        password=credential.password,
        client_id=run.names(serial).client_id if form == "serial" else "",
    )


def data_service(devices: Devices) -> DataService:
    words: DataServiceWords = words_of(devices, DataServiceWords)
    return DataService(
        retry_interval_s=int(words.retry_interval_s),
        reconnect=words.reconnect,
        recovery=words.recovery,
        recovery_max_failures=words.recovery_max_failures,
        most_in_flight=words.in_flight,
        rate_limit=words.rate_limit,
    )


def cloud_service(devices: Devices) -> CloudService:
    words: CloudServiceWords = words_of(devices, CloudServiceWords)
    return CloudService(
        display_name="custom" if words.custom_name else "device-name",
        custom_name=words.custom_name,
        encode_gzip=words.encode_gzip,
        default_subscriptions=words.default_subscriptions,
        payload_encoding=words.payload_encoding,
    )


def other_instances(run: KuraRun, devices: Devices) -> tuple[str, ...]:
    own = run.url(tls=bool(getattr(devices, "tls", None)))
    given = getattr(devices, "other_connections", None) or ()
    return tuple(own if one == UNDER_TEST else one for one in given)
