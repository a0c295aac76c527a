"""hawkBit's words in scenario files."""

from __future__ import annotations

from typing import Final, Literal

from fleetrig.harness.platforms.hawkbit.confirmation_words import DeviceConfirmation
from fleetrig.harness.platforms.hawkbit.server import SERVER
from fleetrig.harness.platforms.hawkbit.settings import CERTIFICATES, SETTINGS
from fleetrig.harness.platforms.hawkbit.words import WORDS
from fleetrig.harness.scenario_file.values import Count, Text
from fleetrig.harness.scenario_file.vocabulary import Vocabulary

ActionStatus = Literal[
    "scheduled", "running", "retrieved", "download", "downloaded", "warning", "finished", "error", "canceling",
    "canceled", "cancel_rejected", "wait_for_confirmation",
]  # fmt: skip

VOCABULARY: Final = Vocabulary(
    transports=("http",),
    credentials=(
        "target_token", "wrong_target_token", "gateway_token", "certificate", "untrusted_certificate",
        "expired_certificate", "foreign_certificate", "none",
    ),
    certificate_credentials=CERTIFICATES,
    secrets=("target_token", "gateway_token", "certificate", "authority"),
    attribute_modes=("merge", "replace", "remove"),
    states=("unknown", "registered", "pending", "in_sync", "error"),
    accepted_states=("registered", "pending", "in_sync"),
    record_fields={
        "created_by": Text,
        "name": Text,
        "type": Text,
        "installed": Text,
        "assigned": Text,
        "action": ActionStatus,
        "open_actions": Count,
    },
    device_fields={"confirmation": DeviceConfirmation},
    id_name="controllerId",
    words=WORDS,
    settings=SETTINGS,
    exchanges=(
        "poll", "configData", "deploymentBase", "cancelAction", "confirmationBase", "installedBase", "feedback-*",
        "activateAutoConfirm", "deactivateAutoConfirm", "artifacts", "download", "download-md5", "*-head",
    ),
    can=frozenset({"hawkbit", "hawkbit.admin"}),
    reference_can=frozenset({"hawkbit.fast_polling"}),
    line_can=frozenset({"hawkbit.line_account"}),
    operator_knows=frozenset({"hawkbit.fast_cleanup", "hawkbit.trusted_ips"}),
    profiles=SERVER.profiles,
    tenant=SERVER.tenant,
)  # fmt: skip
