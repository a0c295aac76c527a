"""What an operator chose when the server was started, as far as rows rest on it: a finding names the property.

No API tells these properties. Where an answer shows that another value is in force, rows adapt or are skipped.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import Mismatch

DDI: Final = "hawkbit.server.ddi.security."
SECURITY: Final = "hawkbit.server.security."
DOS: Final = f"{SECURITY}dos."
TRUSTED_IPS: Final = f"{DDI}rp.trustedIPs"
REMOTE_IP_HEADER: Final = f"{SECURITY}clients.remoteIpHeader"
FORWARDING: Final = "server.forward-headers-strategy"
POLLING_RANGE: Final = "hawkbit.controller.minPollingTime and maxPollingTime"

FORWARDED: Final[Mapping[str, str]] = {FORWARDING: "none", REMOTE_IP_HEADER: "X-Forwarded-For"}
"""Where `X-Forwarded-For` is what it is by default: only the address that is written down."""
REALM: Final[Mapping[str, str]] = {f"{SECURITY}basicRealm": "hawkBit"}
EVERY_HOST: Final[Mapping[str, str]] = {f"{SECURITY}allowedHostNames": "empty"}
LIMITER: Final[Mapping[str, str]] = {
    f"{DOS}filter.enabled": "true",
    f"{DOS}filter.whitelist": "empty",
    REMOTE_IP_HEADER: "X-Forwarded-For",
}

ROLLOUTS: Final[Mapping[str, str]] = {"hawkbit.rollout.scheduler.fixedDelay": "some seconds at most"}
MORE_TARGETS: Final[Mapping[str, str]] = {
    **ROLLOUTS, "hawkbit.server.repository.dynamicRolloutsMinInvolvePeriodMS": "60000 at most"
}  # fmt: skip
AUTO_ASSIGNMENT: Final[Mapping[str, str]] = {"hawkbit.autoassign.scheduler.fixedDelay": "some seconds at most"}
CLEAN_UP: Final[Mapping[str, str]] = {"hawkbit.autocleanup.scheduler.fixedDelay": "some seconds at most"}
"""What happens by itself, and how often."""
FILE_LINKS: Final[Mapping[str, str]] = {"hawkbit.artifact.url.protocols.*": "at its default"}

QUOTAS: Final[Mapping[tuple[str, str], str]] = {
    ("Attribute", "Target"): "maxAttributeEntriesPerTarget",
    ("Metadata", "Target"): "maxMetaDataEntriesPerTarget",
    ("Action", "Target"): "maxActionsPerTarget",
    ("ActionStatus", "Action"): "maxStatusEntriesPerAction",
    ("Message", "ActionStatus"): "maxMessagesPerActionStatus",
    ("Target", "RolloutGroup"): "maxTargetsPerRolloutGroup",
    ("RolloutGroup", "Rollout"): "maxRolloutGroupsPerRollout",
    ("Target", "TargetFilterQuery"): "maxTargetsPerAutoAssignment",
    ("Target", "AutoAssignment"): "maxTargetsPerAutoAssignment",
    ("SoftwareModule", "DistributionSet"): "maxSoftwareModulesPerDistributionSet",
    ("SoftwareModuleType", "DistributionSetType"): "maxSoftwareModuleTypesPerDistributionSetType",
    ("Artifact", "SoftwareModule"): "maxArtifactsPerSoftwareModule",
    ("DistributionSetType", "TargetType"): "maxDistributionSetTypesPerTargetType",
}
"""What cannot be added to what -> the property below `hawkbit.server.security.dos.`."""
METADATA: Final[Mapping[str, str]] = {
    "DistributionSet": "maxMetaDataEntriesPerDistributionSet",
    "SoftwareModule": "maxMetaDataEntriesPerSoftwareModule",
}
TOO_MANY: Final = re.compile(r"more (\w+) entities to (\w+) ")
TOO_MANY_GROUPS: Final = "The amount of groups cannot be greater than"
TOO_LONG_REQUEST: Final = "Request contains too many entries"
ERRORS: Final[Mapping[str, str]] = {
    "quota.fileSizeExceeded": "maxArtifactSize",
    "quota.storageExceeded": "maxArtifactStorage",
    "fileSizeQuotaExceeded": "maxArtifactSize",
    "storageQuotaExceeded": "maxArtifactStorage",
}


@contextlib.contextmanager
def resting_on(properties: Mapping[str, str]) -> Iterator[None]:
    """For what holds only where these properties have these values: a finding says so."""
    try:
        yield
    except Mismatch as mismatch:
        raise with_condition(mismatch, _listed(properties)) from None


def with_condition(mismatch: Mismatch, condition: str) -> Mismatch:
    one = mismatch.finding
    return Mismatch(replace(one, expected=f"{one.expected}, if {condition}"))


def named(mismatch: Mismatch, last: Answer | None) -> Mismatch:
    """The same, with the property whose value the last answer gives away, unless one is named already."""
    one = mismatch.finding
    if last is None or str(last.status) not in one.got or "hawkbit." in one.expected:
        return mismatch
    condition = _behind(last)
    return with_condition(mismatch, condition) if condition else mismatch


def _behind(answer: Answer) -> str:
    """What an answer says of the server's start, as a condition; empty if nothing."""
    is_device = "/controller/v1/" in answer.request
    match answer:
        case Answer(status=401, body=b"") if is_device:
            return f"{TRUSTED_IPS} is empty or has the address that we come from"
        case Answer(status=403, body=b""):
            return f"{SECURITY}clients.blacklist does not match the address that we come from"
        case Answer(status=400, body=b""):
            return f"{SECURITY}allowedHostNames is empty or has this host"
        case Answer(status=status) if status in (403, 429) and (name := _quota(answer.text)):
            return f"{DOS}{name} is at its default"
        case _:
            return ""


def _quota(text: str) -> str:
    """The last part of the property behind a refusal for quota; empty if it is none."""
    if TOO_LONG_REQUEST in text:
        return "maxTargetDistributionSetAssignmentsPerManualAssignment"
    if TOO_MANY_GROUPS in text:
        return "maxRolloutGroupsPerRollout"
    if (found := TOO_MANY.search(text)) is not None:
        child, parent = found.groups()
        return QUOTAS.get((child, parent)) or METADATA.get(parent, "")
    return next((name for code, name in ERRORS.items() if code in text), "")


def _listed(properties: Mapping[str, str]) -> str:
    *before, last = [f"{name} is {value}" for name, value in properties.items()]
    return f"{', '.join(before)} and {last}" if before else last
