"""Real clients by name: what each does, and that paho's defaults are still what its policy says."""

from __future__ import annotations

import inspect

import pytest
from paho.mqtt.client import Client

from fleetrig.simulator.client_policies import CLIENT_POLICIES, RealClient

WAITS_S = {
    RealClient.SWUPDATE: [(30, 30)] * 4,
    RealClient.RAUC_HAWKBIT_UPDATER: [(300, 300)] * 4,
    RealClient.KURA: [(1, 11), (60, 60), (60, 60), (60, 60)],
    RealClient.THINGSBOARD_PYTHON_SDK: [(1, 1), (2, 2), (4, 4), (8, 8)],
    RealClient.PAHO_PYTHON: [(1, 1), (2, 2), (4, 4), (8, 8)],
    RealClient.PAHO_JAVA: [(1, 1), (2, 2), (4, 4), (8, 8)],
    RealClient.ESP_MQTT: [(10, 10)] * 4,
    RealClient.AWS_IOT_MQTT311: [(1, 1), (2, 2), (4, 4), (8, 8)],
    RealClient.AWS_IOT_EMBEDDED_C: [(0.1, 0.5), (0.1, 1), (0.1, 2), (0.1, 4)],
}
"""After 1, 2, 3 and 4 failures in a row, of a device that polls every 30 s."""


@pytest.mark.parametrize("client", RealClient)
def test_each_client_waits_as_its_source_says(client: RealClient) -> None:
    backoff = CLIENT_POLICIES[client].backoff
    waits = [backoff.delay(failures, interval_s=30.0, retry_after_s=7.0)[:2] for failures in range(1, 5)]
    assert waits == WAITS_S[client]
    assert CLIENT_POLICIES[client].source


def test_paho_has_the_defaults_that_its_policy_says() -> None:
    defaults = inspect.signature(Client.reconnect_delay_set).parameters
    backoff = CLIENT_POLICIES[RealClient.PAHO_PYTHON].backoff
    assert (defaults["min_delay"].default, defaults["max_delay"].default) == (backoff.base_s, backoff.cap_s)
