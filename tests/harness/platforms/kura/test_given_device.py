"""Our own gateway, told what a program or a board is told: it is the one that the run has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleetrig.harness.platforms.kura.program import behaviour_values, credential_values, given_device
from fleetrig.harness.platforms.kura.vocabulary import BOARD_VALUES, PROGRAM_VALUES
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.flows.kura.components import DataService, MqttDataTransport, ProvisioningService
from fleetrig.simulator.flows.kura.flow import KuraGateway
from fleetrig.simulator.flows.kura.settings import KuraSettings

PROVISIONS_ITSELF = KuraSettings(
    provisioning=ProvisioningService(
        enabled=True, ca_authentication=False, broker_url="mqtt://127.0.0.1:1883", account_name="prov", username="u",
        password="secret", activation_key="k" * 32, client_id="GW-1", retry_interval_s=2, retry_max_attempts=3,
        timeout_s=5,
    ),
    data=DataService(retry_interval_s=7),
    telemetry_interval_s=2.0,
)  # fmt: skip
IN_ITS_ACCOUNT = KuraSettings(
    transport=MqttDataTransport("mqtt://127.0.0.1:1883", "acct", "u", "secret", "GW-1"),
    data=DataService(retry_interval_s=7),
)


def told(settings: KuraSettings) -> dict[str, str]:
    """As a run tells it."""
    return {"id": "GW-1", **credential_values(UserPassword("u", "secret")), **behaviour_values(KuraGateway(settings))}


@pytest.mark.parametrize("settings", [PROVISIONS_ITSELF, IN_ITS_ACCOUNT], ids=["provisions itself", "in its account"])
def test_a_gateway_that_is_told_what_another_is_told_is_the_same(settings: KuraSettings) -> None:
    device, gateway = given_device(told(settings))
    assert device.serial == "GW-1"
    assert gateway.settings == settings


def test_one_that_is_told_little_has_the_usual_settings() -> None:
    _, gateway = given_device({"id": "GW-1"})
    assert (gateway.settings.provisioning, gateway.settings.data) == (ProvisioningService(), DataService())
    assert gateway.settings.telemetry_interval_s == 60


def test_it_is_told_what_a_board_is_told() -> None:
    assert set(BOARD_VALUES) <= set(PROGRAM_VALUES)
    on_a_board = {name: text for name, text in told(PROVISIONS_ITSELF).items() if name in ("id", *BOARD_VALUES)}
    assert given_device(on_a_board)[1].settings == PROVISIONS_ITSELF


@pytest.mark.parametrize("name", ["retry_interval_s", "timeout_s", "telemetry_interval_s", "reconnect_interval_s"])
def test_a_number_that_is_none_is_told(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name}='soon': expected a number"):
        given_device({**told(PROVISIONS_ITSELF), name: "soon"})


def test_what_no_gateway_accepts_is_told() -> None:
    none = {**told(replace(PROVISIONS_ITSELF)), "retry_max_attempts": "0"}
    with pytest.raises(UsageError, match="retry_max_attempts must be -1"):
        given_device(none)
