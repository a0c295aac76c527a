"""What real clients do after a failure, as their sources have it, by name: `backoff: {client: swupdate}` in a file.

Defaults throughout; who sets a client up otherwise writes its numbers down instead of its name. None of them listens to
`Retry-After`. Two were also measured: the retries of swupdate and of ThingsBoard's SDK stand in `tests/golden/retries`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from fleetrig.simulator.backoff import Backoff, Policy


class RealClient(StrEnum):
    SWUPDATE = "swupdate"
    RAUC_HAWKBIT_UPDATER = "rauc_hawkbit_updater"
    KURA = "kura"
    THINGSBOARD_PYTHON_SDK = "thingsboard_python_sdk"
    PAHO_PYTHON = "paho_python"
    PAHO_JAVA = "paho_java"
    ESP_MQTT = "esp_mqtt"
    AWS_IOT_MQTT311 = "aws_iot_mqtt311"
    AWS_IOT_EMBEDDED_C = "aws_iot_embedded_c"


@dataclass(frozen=True, slots=True)
class ClientPolicy:
    """What a client does, and where that is written."""

    backoff: Backoff
    source: str


LEAST_CONNECT_S: Final = 0.1
"""Below the first delay of every client here: what they draw is theirs, not our floor."""


def _deaf(policy: Policy, base_s: float, cap_s: float = 0.0, first_s: tuple[float, float] | None = None) -> Backoff:
    return Backoff(policy, base_s, cap_s or base_s, LEAST_CONNECT_S, honours_retry_after=False, first_s=first_s)


PAHO: Final = _deaf(Policy.EXPONENTIAL, 1.0, 120.0)

CLIENT_POLICIES: Final[Mapping[RealClient, ClientPolicy]] = MappingProxyType(
    {
        RealClient.SWUPDATE: ClientPolicy(
            Backoff(Policy.NONE, honours_retry_after=False),
            "suricatta.c, main loop: whatever came of a poll, it sleeps for the polling interval: the server's "
            "`sleep`, or 45 s (CHANNEL_DEFAULT_POLLING_INTERVAL) before it has heard one. Measured on 2022.12",
        ),
        RealClient.RAUC_HAWKBIT_UPDATER: ClientPolicy(
            _deaf(Policy.FIXED, 300.0),
            "hawkbit-client.c, hawkbit_pull_cb: `retry_wait` after any error; config-file.c: DEFAULT_RETRY_WAIT, 5 min",
        ),
        RealClient.KURA: ClientPolicy(
            _deaf(Policy.FIXED, 60.0, first_s=(1.0, 11.0)),
            "DataServiceImpl: after max(1, U) whole seconds, U below retry-interval / 5, then at a fixed rate of "
            "connect.retry-interval, 60 s. Here the first delay is drawn evenly, and all count from the end of an "
            "attempt, which is its start where attempts are refused at once",
        ),
        RealClient.THINGSBOARD_PYTHON_SDK: ClientPolicy(
            PAHO,
            "tb_device_mqtt.py: connect(min_reconnect_delay=1, timeout=120) hands both to paho's reconnect_delay_set. "
            "Measured on 1.13",
        ),
        RealClient.PAHO_PYTHON: ClientPolicy(
            PAHO,
            "paho.mqtt.client: reconnect_delay_set(1, 120), doubled by _reconnect_wait; an accepted CONNACK resets it",
        ),
        RealClient.PAHO_JAVA: ClientPolicy(
            _deaf(Policy.EXPONENTIAL, 1.0, 128.0),
            "MqttAsyncClient, automaticReconnect: reconnectDelay 1,000 ms, doubled up to maxReconnectDelay, 128,000 ms",
        ),
        RealClient.ESP_MQTT: ClientPolicy(
            _deaf(Policy.FIXED, 10.0),
            "mqtt_config.h of ESP-IDF's esp-mqtt: MQTT_RECON_DEFAULT_MS is 10 s, and stays the same",
        ),
        RealClient.AWS_IOT_MQTT311: ClientPolicy(
            _deaf(Policy.EXPONENTIAL, 1.0, 128.0),
            "aws-c-mqtt, client.c, under the SDKs of AWS IoT (v2): reconnect_timeouts, 1 s to 128 s, doubled, no "
            "jitter. It resets them after 10 s of connection; here the first success does",
        ),
        RealClient.AWS_IOT_EMBEDDED_C: ClientPolicy(
            _deaf(Policy.FULL_JITTER, 0.5, 5.0),
            "backoff_algorithm.c of the AWS IoT Device SDK for Embedded C, with the numbers of all of its examples: "
            "base 500 ms, at most 5,000 ms. They give up after 5 tries; here devices go on",
        ),
    }
)
