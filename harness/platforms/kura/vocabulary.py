"""Kura's words in scenario files."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.platforms.kura.device_words import DEVICE_FIELDS, DEVICE_RULES, listeners_called
from fleetrig.harness.platforms.kura.record_words import RECORD_FIELDS
from fleetrig.harness.platforms.kura.server import SERVER
from fleetrig.harness.platforms.kura.settings import NOTES, SETTINGS
from fleetrig.harness.platforms.kura.words import WORDS
from fleetrig.harness.scenario_file.cohort_lines import only_these
from fleetrig.harness.scenario_file.vocabulary import Vocabulary

EXCHANGES: Final = (
    "provision-connect", "provision-subscribe", "provision-request", "provision", "provision-staging",
    "provision-confirm", "provision-confirmed", "provision-leave", "login", "birth", "subscribe", "apps", "telemetry",
    "reply", "notify", "download", "dc", "leave", "ping", "listen", "idle", "puback",
)  # fmt: skip
"""Everything that simulated devices send: what `simulator/flows/kura` yields. `provision` is the reply with the
material, `provision-confirmed` the permission to commit, `idle` the time in which control messages come."""

MOMENTS: Final = (
    "pause-start-spread", "pause-reconnect", "pause-nothing-to-do", "pause-reboot", "read-clock", "draw-request-id",
    "draw-nonce", "draw-device-key", "remember-stage", "remember-fault",
    "remember-components-fault-job-keystores-previous-signed-stage", "remember-components", "remember-keystores",
    "remember-packages", "remember-previous", "remember-rejected_control", "remember-seen", "remember-snapshots",
    "enter-enrolling", "enter-enrolled", "enter-online", "enter-updating", "enter-moving", "enter-backing_off",
    "enter-refused", "disconnect",
)  # fmt: skip

PROGRAM_EXCHANGES: Final = ("unsubscribe", "hang-up", "control", "unknown")
"""As `device_call` names what else a device can ask for."""

PROGRAM_VALUES: Final = (
    "provisioning", "broker_url", "account_name", "client_id", "user_name", "password", "activation_key", "mac",
    "serial_number", "retry_interval_s", "retry_max_attempts", "timeout_s", "ca_authentication", "trust_anchors",
    "reconnect_interval_s", "telemetry_interval_s",
)  # fmt: skip
"""As `program` names them."""
BOARD_VALUES: Final = (
    "provisioning", "broker_url", "account_name", "client_id", "user_name", "password", "activation_key",
    "serial_number", "retry_interval_s", "retry_max_attempts", "timeout_s", "ca_authentication",
    "reconnect_interval_s", "telemetry_interval_s",
)  # fmt: skip
"""What fits into lines of a file: trust anchors do not."""

SERVER_STEPS: Final = (
    "request_found", "activation_key_verified", "credentials_created", "job_started", "job_running",
    "job_conf_updating", "job_conf_updated", "job_apps_installing", "job_apps_installed", "job_completed", "job_failed",
    "job_abandoned", "job_skipped", "job_stopping", "job_stopped", "device_registered", "birth_received",
)  # fmt: skip
"""As the server lane of the trace has them: each state of a job when it is entered, and what a sign-in passes."""

PROVISIONING: Final = "kura.provisioning"
DEVICE_MANAGEMENT: Final = "kura.device_management"
PROFILE_CAN: Final = {
    "open": frozenset({"kura.disabled_refused"}),
    "kapua-lax": frozenset({"kura.disabled_let_in"}),
}
"""`disabled_refused`, `disabled_let_in`: what becomes of the sign-in of a device that is DISABLED (spec 6, 12)."""

VOCABULARY: Final = Vocabulary(
    transports=("mqtt",),
    credentials=("bootstrap", "password", "wrong_password", "wrong_activation_key", "no_activation_key"),
    secrets=("password", "signing_certificate"),
    attribute_modes=("none",),
    states=("requested", "registered", "provisioned", "disabled"),
    accepted_states=("registered", "provisioned"),
    record_fields=RECORD_FIELDS,
    device_fields=DEVICE_FIELDS,
    device_rules=(*DEVICE_RULES, only_these()),
    device_listeners=(listeners_called,),
    server_steps=SERVER_STEPS,
    id_name="clientId",
    words=WORDS,
    settings=SETTINGS,
    notes=NOTES,
    exchanges=EXCHANGES,
    program_exchanges=PROGRAM_EXCHANGES,
    program_values=PROGRAM_VALUES,
    board_values=BOARD_VALUES,
    moments=MOMENTS,
    can=frozenset({"kura", PROVISIONING, DEVICE_MANAGEMENT}),
    reference_can=frozenset(),
    profile_can=PROFILE_CAN,
    operator_knows=frozenset({"kura.disabled_refused", "kura.disabled_let_in"}),
    profiles=SERVER.profiles,
    tenant=SERVER.tenant,
)  # fmt: skip
