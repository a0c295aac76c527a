"""All that files say of gateways comes to the settings of their services, and nothing else does."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, cast

from fleetrig.harness.platforms.kura.device_settings import settings_of
from fleetrig.harness.platforms.kura.device_words import (
    DEVICE_FIELDS,
    CloudServiceWords,
    DataServiceWords,
    ProvisioningWords,
    TransportWords,
)
from fleetrig.harness.platforms.kura.kura_run import KuraRun, MadeRequest
from fleetrig.harness.platforms.kura.platform import PLATFORM
from fleetrig.harness.platforms.kura.settings import chosen
from fleetrig.harness.platforms.kura.signers import Signer
from fleetrig.harness.run.context import RunContext, seeded_tokens
from fleetrig.harness.scenario_file.platform_models import models_for
from fleetrig.harness.scenario_file.values import Model
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.servers.under_test import server_under_test
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.drivers.director import Driver
from fleetrig.simulator.flows.kura.components import MqttDataTransport, ProvisioningService
from fleetrig.simulator.flows.kura.settings import KuraSettings

SERVICES: dict[str, Any] = {
    "provisioning": {
        "enabled": False, "ca_authentication": False, "retry_interval": "5s", "retry_max_attempts": 3, "timeout": "9s",
        "broker_url": "mqtt://other.test:1", "account": "theirs", "user_name": "me", "asks_for_certificate": True,
    },
    "data_service": {
        "retry_interval": "7s", "reconnect": "full-jitter", "recovery": True, "recovery_max_failures": 2,
        "in_flight": 3, "rate_limit": False,
    },
    "transport": {"keep_alive": "60s", "timeout": "4s", "clean_session": False, "lwt": False},
    "cloud_service": {
        "encode_gzip": False, "payload_encoding": "simple-json", "custom_name": "Mine", "default_subscriptions": False,
    },
}  # fmt: skip
OTHERS: dict[str, Any] = {
    "tls": True, "client_id": "mac-with-colons", "telemetry": {"humidity": 40}, "telemetry_messages": 2,
    "trusts_authority": False, "signed_control": "always", "clock_behind": "1h", "other_connections": ["server"],
    "default_connection_only": True, "at_least_once": True,
    "connection_name": "second", "clones": True, "quirks": ["poisoned-queue"],
}  # fmt: skip
CHAIN = ("own", "between", "root")


def made(credential: str = "bootstrap", serial: str = "KU-2", **devices: Any) -> KuraSettings:
    model = models_for("kura").scenario
    phases = [{"name": "on", "do": "power_on", "for": "1s"}]
    document = {
        "scenario": "It works",
        "devices": {
            "flow": "kura",
            "over": "mqtt",
            "count": 2,
            "serial": "KU-{n}",
            "credential": credential,
            **devices,
        },
        "phases": phases,
    }
    listeners = {"mqtt": "kura.test:1883", "mqtts": "kura.test:8883"}
    server = server_under_test(
        RemoteServer("http://kura.test", PLATFORM.own_server.account, listeners=listeners), PLATFORM
    )
    context = RunContext(
        model.model_validate(document), PLATFORM, cast(Driver, None), server, Secrets(), seeded_tokens(1), Path()
    )
    run = KuraRun(context, chosen({}, credential), signers={"acct": (Signer("1", "AQ", "dm-1", CHAIN),)})
    run.requests = {one: MadeRequest("1", "acct", "right", "key") for one in ("KU-1", "KU-2")}
    return settings_of(run, serial)


def test_each_word_is_tried_here() -> None:
    assert {*SERVICES, *OTHERS, "clock_ahead", "shared_user"} == {*DEVICE_FIELDS}
    models: dict[str, type[Model]] = {
        "provisioning": ProvisioningWords,
        "data_service": DataServiceWords,
        "transport": TransportWords,
        "cloud_service": CloudServiceWords,
    }
    for name, model in models.items():
        assert {field.alias or key for key, field in model.model_fields.items()} == SERVICES[name].keys()


def test_of_each_service_all_words_come_to_its_settings() -> None:
    usual, said = made(), made(**SERVICES, **OTHERS)
    assert said.provisioning == ProvisioningService(
        enabled=False, ca_authentication=False, broker_url="mqtt://other.test:1", account_name="theirs", username="me",
        password="right", activation_key="key", client_id="", retry_interval_s=5, retry_max_attempts=3, timeout_s=9,
    )  # fmt: skip
    transport = said.transport
    assert (transport.keep_alive_s, transport.timeout_s, transport.clean_session, transport.lwt_topic) == (
        60,
        4,
        False,
        "",
    )
    data = said.data
    assert (data.retry_interval_s, data.reconnect, data.recovery, data.recovery_max_failures) == (
        7,
        "full-jitter",
        True,
        2,
    )
    assert (data.most_in_flight, data.rate_limit) == (3, False)
    cloud = said.cloud
    assert (cloud.display_name, cloud.custom_name, cloud.encode_gzip) == ("custom", "Mine", False)
    assert (cloud.payload_encoding, cloud.default_subscriptions) == ("simple-json", False)
    assert said.asks_for_certificate
    assert said.telemetry == {"humidity": 40}
    assert (usual.telemetry_qos, said.telemetry_qos, said.asks_for_acknowledgement) == (0, 1, True)
    assert (said.telemetry_messages, said.clock_error_s, said.signed_control) == (2, -3600.0, "always")
    assert (said.connection_name, said.default_connection_only) == ("second", True)
    assert said.other_instances == ("mqtts://kura.test:8883",)
    assert said.quirks == {"poisoned-queue"}
    assert said.client_id_with_colons
    assert (usual.trust_anchors, said.trust_anchors) == ({"ca-dm-1": "root"}, {})
    assert usual.provisioning.broker_url == "mqtt://kura.test:1883"


def test_clones_have_what_the_first_has() -> None:
    first, second = made(serial="KU-1", clones=True), made(clones=True)
    assert first == second
    assert made() != made(serial="KU-1")


def test_who_is_configured_by_hand_has_a_target_and_knows_who_signs() -> None:
    usual, shared = made("password"), made("password", shared_user=True)
    assert not usual.provisioning.enabled
    assert (usual.transport.account_name, usual.transport.username) == ("acct", "user-KU-2")
    assert (shared.transport.username, made("bootstrap").transport) == ("gateways", MqttDataTransport())
    assert usual.signing_certificates == {"dm-1": "own"}


def test_what_is_wrong_is_wrong_and_all_else_is_right() -> None:
    right, others = (
        made(),
        {kind: made(kind) for kind in ("wrong_password", "wrong_activation_key", "no_activation_key")},
    )
    assert (right.provisioning.password, right.provisioning.activation_key) == ("right", "key")
    assert others["wrong_password"].provisioning.password != "right"
    assert others["wrong_password"].provisioning.activation_key == "key"
    assert others["wrong_activation_key"].provisioning.activation_key not in ("", "key")
    assert others["no_activation_key"].provisioning.activation_key == ""
    for one in others.values():
        differing = [field.name for field in fields(one) if getattr(one, field.name) != getattr(right, field.name)]
        assert differing == ["provisioning"]


def test_a_clock_may_be_fast_and_a_gateway_may_measure_nothing() -> None:
    said = made(clock_ahead="2s", telemetry_messages=0)
    assert (said.clock_error_s, said.telemetry_interval_s, said.telemetry_messages) == (2.0, None, None)
