"""hawkBit's words in scenario files."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.platforms.hawkbit.confirmation_words import DeviceConfirmation
from fleetrig.harness.platforms.hawkbit.record_words import RECORD_FIELDS
from fleetrig.harness.platforms.hawkbit.server import SERVER
from fleetrig.harness.platforms.hawkbit.settings import CERTIFICATES, GATEWAY_KEY, NOTES, SETTINGS
from fleetrig.harness.platforms.hawkbit.words import WORDS
from fleetrig.harness.scenario_file.cohort_lines import only_these
from fleetrig.harness.scenario_file.vocabulary import Vocabulary

EXCHANGES: Final = (
    "poll", "configData", "deploymentBase", "cancelAction", "download", "feedback-proceeding", "feedback-downloaded",
    "feedback-closed", "feedback-rejected", "confirmationBase", "feedback-confirmed", "feedback-denied",
    "activateAutoConfirm", "deactivateAutoConfirm",
)  # fmt: skip
"""Everything that simulated devices send: what `simulator/flows/hawkbit` yields."""

MOMENTS: Final = (
    "pause-poll-interval", "pause-backoff", "pause-asked-to-wait", "pause-download-retry", "pause-report-retry",
    "pause-confirmation", "remember-stage", "remember-action-progress-reason", "remember-confirmation", "apply",
    "enter-enrolling", "enter-enrolled", "enter-online", "enter-updating", "enter-backing_off", "enter-refused",
)  # fmt: skip

_REPORTED: Final = (
    "proceeding", "download", "downloaded", "scheduled", "resumed", "rejected", "canceled", "closed", "confirmed",
    "denied",
)  # fmt: skip
"""`status.execution` of a report (DDI's DdiStatus), and the `confirmation` of one."""
_RESOURCES: Final = (
    "poll", "configData", "deploymentBase", "cancelAction", "installedBase", "confirmationBase", "activateAutoConfirm",
    "deactivateAutoConfirm", "artifacts", "download", "download-md5", "feedback", "unknown",
)  # fmt: skip
"""As `device_call` names what is asked for; `unknown` is another path below a controller's own."""
_ASKED: Final = (*_RESOURCES, *(f"feedback-{said}" for said in _REPORTED))
PROGRAM_EXCHANGES: Final = tuple(
    name for name in (*_ASKED, *(f"{one}-head" for one in _ASKED)) if name not in EXCHANGES
)

VOCABULARY: Final = Vocabulary(
    transports=("http",),
    credentials=(
        "target_token", "wrong_target_token", "gateway_token", "certificate", "untrusted_certificate",
        "expired_certificate", "foreign_certificate", "none",
    ),
    certificate_credentials=CERTIFICATES,
    token_settings=frozenset({GATEWAY_KEY}),
    secrets=("target_token", "gateway_token", "certificate", "authority"),
    attribute_modes=("merge", "replace", "remove"),
    states=("unknown", "registered", "pending", "in_sync", "error"),
    accepted_states=("registered", "pending", "in_sync"),
    record_fields=RECORD_FIELDS,
    device_fields={"confirmation": DeviceConfirmation},
    device_rules=(only_these("backoff", "poll_jitter", "timeout"),),
    id_name="controllerId",
    words=WORDS,
    settings=SETTINGS,
    notes=NOTES,
    exchanges=EXCHANGES,
    program_exchanges=PROGRAM_EXCHANGES,
    program_values=("token", "gateway_token", "confirmation"),
    moments=MOMENTS,
    can=frozenset({"hawkbit", "hawkbit.admin"}),
    reference_can=frozenset({"hawkbit.fast_polling"}),
    line_can=frozenset({"hawkbit.line_account"}),
    operator_knows=frozenset({"hawkbit.fast_cleanup", "hawkbit.trusted_ips"}),
    serve_options={
        "hawkbit.fast_polling": "--set hawkbit.controller.minPollingTime=00:00:01",
        "hawkbit.fast_cleanup": "--set hawkbit.autocleanup.scheduler.fixedDelay=100",
        "hawkbit.trusted_ips": "--set hawkbit.server.ddi.security.rp.trustedIPs=127.0.0.1",
    },
    profiles=SERVER.profiles,
    tenant=SERVER.tenant,
)  # fmt: skip
