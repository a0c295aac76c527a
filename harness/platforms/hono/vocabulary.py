"""Hono's words in scenario files."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.platforms.hono.device_words import DEVICE_FIELDS, DEVICE_RULES, listeners_called
from fleetrig.harness.platforms.hono.record_words import RECORD_FIELDS
from fleetrig.harness.platforms.hono.server import SERVER
from fleetrig.harness.platforms.hono.settings import IN_HANDSHAKES, NOTES, SETTINGS
from fleetrig.harness.platforms.hono.words import WORDS
from fleetrig.harness.scenario_file.cohort_lines import only_these
from fleetrig.harness.scenario_file.vocabulary import CLIENT_CERTIFICATES, Vocabulary

EXCHANGES: Final = (
    "login", "telemetry", "event", "gateway-telemetry", "gateway-event", "subscribe",
    "command-response", "ping", "idle", "leave", "puback",
)  # fmt: skip
"""Everything that simulated devices send: what `simulator/flows/hono` yields."""

MOMENTS: Final = (
    "pause-start-spread", "pause-backoff", "pause-lost-race", "pause-telemetry-interval", "pause-nothing-to-do",
    "remember-stage", "remember-fault", "enter-enrolling", "enter-enrolled", "enter-online", "enter-backing_off",
    "enter-refused", "disconnect",
)  # fmt: skip

PROGRAM_EXCHANGES: Final = ("unsubscribe", "hang-up", "error", "unknown")
"""As `device_call` names what else a device can ask for."""

PROGRAM_VALUES: Final = (
    "user_name", "password", "psk_identity", "psk", "adapter_url", "endpoint", "qos", "gateway", "edge_devices",
    "ttd_s", "telemetry_interval_s",
)  # fmt: skip
"""As `program` names them."""

SERVER_STEPS: Final = (
    "tenant_found", "certificate_validated", "credentials_found", "credentials_created", "secret_verified",
    "notification_sent", "edge_device_created", "registration_asserted", "message_forwarded",
)  # fmt: skip
"""As `reference_server/platforms/hono/provisioning/steps.py` has them."""

_OF_2: Final = frozenset({"hono", "hono.search", "hono.notifications"})
PROFILE_CAN: Final = {
    "2": _OF_2 | {"hono.no_orphans"},
    "2-jdbc": _OF_2 | {"hono.orphans"},
    "2-mongodb": _OF_2 | {"hono.orphans"},
    "1": frozenset({"hono"}),
}
"""Which generation does what. `search`: its registry can be searched, which finds devices by their auth-ids (1.6).
`notifications`: it tells applications of what it provisions (1.9). `no_orphans`, `orphans`: what a first contact that
fails half way leaves behind (spec 2.3)."""

VOCABULARY: Final = Vocabulary(
    transports=("http", "mqtt", "coap"),
    credentials=(
        "certificate", "password", "psk", "wrong_password", "expired_certificate", "early_certificate",
        "forged_certificate", "strangers_certificate",
    ),
    certificate_credentials=IN_HANDSHAKES,
    program_certificates=IN_HANDSHAKES,
    secrets=("certificate", "subject", "authority", "password", "psk"),
    attribute_modes=("none",),
    states=("registered", "provisioned", "disabled"),
    accepted_states=("registered", "provisioned"),
    record_fields=RECORD_FIELDS,
    device_fields=DEVICE_FIELDS,
    device_rules=(*DEVICE_RULES, only_these("backoff", "interval", "timeout")),
    device_listeners=(listeners_called,),
    children_are_silent=True,
    server_steps=SERVER_STEPS,
    id_name="device-id",
    words=WORDS,
    settings=SETTINGS,
    notes=NOTES,
    exchanges=EXCHANGES,
    program_exchanges=PROGRAM_EXCHANGES,
    program_values=PROGRAM_VALUES,
    moments=MOMENTS,
    can=frozenset({"hono", "hono.search", "hono.notifications", CLIENT_CERTIFICATES}),
    reference_can=frozenset(),
    profile_can=PROFILE_CAN,
    operator_knows=frozenset({"hono.no_orphans", "hono.orphans"}),
    profiles=SERVER.profiles,
    tenant=SERVER.tenant,
)  # fmt: skip
