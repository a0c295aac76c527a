"""ThingsBoard's words in scenario files."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.platforms.thingsboard.device_words import DEVICE_FIELDS, DEVICE_RULES, listeners_called
from fleetrig.harness.platforms.thingsboard.record_words import RECORD_FIELDS
from fleetrig.harness.platforms.thingsboard.server import SERVER
from fleetrig.harness.platforms.thingsboard.settings import CERTIFICATES, NOTES, SETTINGS
from fleetrig.harness.platforms.thingsboard.words import WORDS
from fleetrig.harness.scenario_file.cohort_lines import only_these
from fleetrig.harness.scenario_file.vocabulary import CLIENT_CERTIFICATES, Vocabulary

EXCHANGES: Final = (
    "provision-connect", "provision-subscribe", "provision-request", "provision", "provision-leave", "login",
    "telemetry", "gateway-connect", "gateway-telemetry", "ping", "idle", "leave", "puback",
)  # fmt: skip
"""Everything that simulated devices send: what `simulator/flows/thingsboard` yields."""

MOMENTS: Final = (
    "pause-start-spread", "pause-backoff", "pause-telemetry-interval", "pause-nothing-to-do", "remember-asked",
    "remember-asked-fault",
    "remember-asked-credentials-fault-stage", "remember-fault", "enter-enrolling", "enter-enrolled", "enter-online",
    "enter-backing_off", "enter-refused", "disconnect",
)  # fmt: skip

PROGRAM_EXCHANGES: Final = ("attributes", "claim", "rpc", "subscribe", "hang-up", "unknown")
"""As `device_call` names what else a device can ask for."""

PROGRAM_VALUES: Final = (
    "provision_url", "provision_key", "provision_secret", "credentials_type", "access_token", "client_id", "user_name",
    "password", "gateway", "children", "telemetry_interval_s",
)  # fmt: skip
"""As `program.behaviour_values` names them."""

_SINCE_3_8: Final = {"thingsboard", "thingsboard.certificate_chain", "thingsboard.gateway_flag"}
PROFILE_CAN: Final = {
    "4.3": frozenset({*_SINCE_3_8, "thingsboard.answers_once"}),
    "4.2": frozenset({*_SINCE_3_8, "thingsboard.answers_again"}),
    "3.2": frozenset({"thingsboard", "thingsboard.answers_again", "thingsboard.no_gateway_flag"}),
    "as-documented": frozenset({"thingsboard.documented_answers"}),
}
"""Which generation does what (spec 1.7). `thingsboard`: it answers as releases do, and not as the documentation says.
`answers_once` and `answers_again`: what becomes of a second request in CHECK_PRE_PROVISIONED_DEVICES."""

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
    record_fields=RECORD_FIELDS,
    device_fields=DEVICE_FIELDS,
    device_rules=(*DEVICE_RULES, only_these("backoff", "interval", "timeout")),
    device_listeners=(listeners_called,),
    children_are_silent=True,
    id_name="deviceName",
    words=WORDS,
    settings=SETTINGS,
    notes=NOTES,
    exchanges=EXCHANGES,
    program_exchanges=PROGRAM_EXCHANGES,
    program_values=PROGRAM_VALUES,
    moments=MOMENTS,
    can=frozenset({"thingsboard", "thingsboard.certificate_chain", "thingsboard.gateway_flag", CLIENT_CERTIFICATES}),
    reference_can=frozenset(),
    profile_can=PROFILE_CAN,
    operator_knows=frozenset({"thingsboard.answers_once", "thingsboard.answers_again", "thingsboard.no_gateway_flag"}),
    profiles=SERVER.profiles,
    tenant=SERVER.tenant,
)  # fmt: skip
