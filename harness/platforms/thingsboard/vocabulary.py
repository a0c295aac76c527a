"""ThingsBoard's words in scenario files."""

from __future__ import annotations

from typing import Final, Literal

from fleetrig.harness.platforms.thingsboard.server import SERVER
from fleetrig.harness.platforms.thingsboard.settings import CERTIFICATES, SETTINGS
from fleetrig.harness.platforms.thingsboard.words import WORDS
from fleetrig.harness.scenario_file.values import Flag, Text
from fleetrig.harness.scenario_file.vocabulary import CLIENT_CERTIFICATES, Vocabulary

CredentialsType = Literal["ACCESS_TOKEN", "MQTT_BASIC", "X509_CERTIFICATE", "LWM2M_CREDENTIALS"]

EXCHANGES: Final = (
    "provision-connect", "provision-subscribe", "provision-request", "provision", "provision-leave", "login",
    "telemetry", "ping", "idle", "leave", "puback",
)  # fmt: skip
"""Everything that simulated devices send: what `simulator/flows/thingsboard` yields."""

MOMENTS: Final = (
    "pause-start-spread", "pause-backoff", "pause-telemetry-interval", "pause-nothing-to-do", "remember-asked",
    "remember-asked-fault",
    "remember-asked-credentials-fault-stage", "remember-fault", "enter-enrolling", "enter-enrolled", "enter-online",
    "enter-backing_off", "enter-refused", "disconnect",
)  # fmt: skip

PROGRAM_EXCHANGES: Final = ("attributes", "claim", "rpc", "hang-up", "unknown")
"""As `device_call` names what else a device can ask for."""

VOCABULARY: Final = Vocabulary(
    transports=("mqtt", "http", "coap"),
    credentials=(
        "server_token", "own_token", "mqtt_basic", "certificate", "certificate_chain", "expired_chain",
        "strangers_chain", "wrong_secret",
    ),
    certificate_credentials=CERTIFICATES,
    program_certificates=CERTIFICATES,
    secrets=("provision_secret", "access_token", "certificate"),
    attribute_modes=("none",),
    states=("imported", "provisioned"),
    accepted_states=("provisioned",),
    record_fields={"credentials_type": CredentialsType, "profile": Text, "is_gateway": Flag},
    device_fields={"telemetry_over": Literal["mqtt", "http", "coap"]},
    id_name="deviceName",
    words=WORDS,
    settings=SETTINGS,
    exchanges=EXCHANGES,
    program_exchanges=PROGRAM_EXCHANGES,
    moments=MOMENTS,
    can=frozenset({"thingsboard", CLIENT_CERTIFICATES}),
    reference_can=frozenset(),
    operator_knows=frozenset({"thingsboard.answers_once"}),
    profiles=SERVER.profiles,
    tenant=SERVER.tenant,
)  # fmt: skip
