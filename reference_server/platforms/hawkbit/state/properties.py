"""Start-up properties under the real server's names to `Settings` (`fleetrig serve --set KEY=VALUE`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher, get_close_matches
from itertools import takewhile
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.state import artifact_properties
from fleetrig.reference_server.platforms.hawkbit.state.config_keys import KEYS
from fleetrig.reference_server.platforms.hawkbit.state.permissions import unknown_rights
from fleetrig.reference_server.platforms.hawkbit.state.property_hints import hint_for
from fleetrig.reference_server.platforms.hawkbit.state.property_values import (
    as_any_context_path,
    as_context_path,
    as_count,
    as_duration,
    as_first_id,
    as_forwarding,
    as_names,
    as_numbered_header,
    as_off,
    as_pattern,
    as_polling_time,
    as_quota_count,
    as_seconds,
    as_text,
    as_yes_no,
)
from fleetrig.reference_server.platforms.hawkbit.state.settings import Account, Settings
from fleetrig.simulator.contract.header_text import why_no_basic_account

Apply = Callable[[Settings, Any], Settings]


@dataclass(frozen=True, slots=True)
class Property:
    """How a property's text is read and where its value goes."""

    read: Callable[[str], Any]
    apply: Apply


def settings_from_properties(properties: Mapping[str, str], base: Settings | None = None) -> Settings:
    """`base` (the server's defaults) with these properties. Raises ValueError: what was expected, a near word."""
    settings = Settings() if base is None else base
    accounts: dict[str, dict[str, str]] = {}
    links: dict[str, dict[str, str]] = {}
    for name, text in properties.items():
        if (account := ACCOUNT.fullmatch(name)) is not None:
            accounts.setdefault(account["user"], {})[account["part"]] = text
            continue
        if (one := artifact_properties.PROPERTY.fullmatch(name)) is not None:
            links.setdefault(one["name"], {})[one["part"]] = text
            continue
        known = KNOWN.get(name)
        if known is None:
            raise ValueError(_unknown(name))
        try:
            settings = known.apply(settings, known.read(text))
        except ValueError as error:
            raise ValueError(f"property {name}={text!r}: {error}") from None
    protocols = artifact_properties.with_properties(settings.artifact_protocols, links)
    return _with_accounts(replace(settings, artifact_protocols=protocols), accounts)


def _field(name: str) -> Apply:
    return lambda settings, value: replace(settings, **{name: value})


def _dos(name: str) -> Apply:
    return lambda settings, value: replace(settings, dos=replace(settings.dos, **{name: value}))


def _quota(name: str) -> Apply:
    return lambda settings, value: replace(settings, quotas=replace(settings.quotas, **{name: value}))


def _default(key: str) -> Apply:
    """The server default of a key of the tenant configuration."""
    return lambda settings, value: replace(settings, config_defaults={**settings.config_defaults, key: value})


DDI: Final = "hawkbit.server.ddi.security."
SECURITY: Final = "hawkbit.server.security."
FIRST_ACTION_ID: Final = "fleetrig.firstActionId"
"""Our own: the real server begins at 1."""
TENANT_DEFAULT: Final = "hawkbit.server.tenant.configuration."

KNOWN: Final[dict[str, Property]] = {
    "server.forward-headers-strategy": Property(as_forwarding, _field("forwarding")),
    "server.servlet.context-path": Property(as_context_path, _field("context_path")),
    "hawkbit.server.servlet.context-path": Property(as_any_context_path, _field("artifact_context_path")),
    "hawkbit.controller.minPollingTime": Property(as_duration, _field("min_polling_time")),
    "hawkbit.controller.maxPollingTime": Property(as_duration, _field("max_polling_time")),
    "hawkbit.controller.pollingTime": Property(as_polling_time, _default("pollingTime")),
    "hawkbit.controller.pollingOverdueTime": Property(as_duration, _default("pollingOverdueTime")),
    "hawkbit.controller.maintenanceWindowPollCount": Property(as_count, _default("maintenanceWindowPollCount")),
    f"{DDI}authentication.targettoken.enabled": Property(as_yes_no, _default("authentication.targettoken.enabled")),
    f"{DDI}authentication.gatewaytoken.enabled": Property(as_yes_no, _default("authentication.gatewaytoken.enabled")),
    f"{DDI}authentication.gatewaytoken.key": Property(as_text, _default("authentication.gatewaytoken.key")),
    f"{DDI}authentication.header.enabled": Property(as_yes_no, _default("authentication.header.enabled")),
    f"{DDI}authentication.header.authority": Property(as_text, _default("authentication.header.authority")),
    f"{DDI}authentication.anonymous.enabled": Property(as_off, lambda settings, _: settings),
    f"{DDI}rp.controllerIdHeader": Property(as_text, _field("identity_header")),
    f"{DDI}rp.authorityHeader": Property(as_text, _field("authority_header")),
    f"{DDI}rp.cnHeader": Property(as_text, _field("identity_header")),
    f"{DDI}rp.sslIssuerHashHeader": Property(as_numbered_header, _field("authority_header")),
    f"{DDI}rp.authoritiesSeparatorRegex": Property(as_pattern, _field("authority_separator")),
    f"{DDI}rp.trustedIPs": Property(as_names, _field("trusted_ips")),
    f"{SECURITY}allowedHostNames": Property(as_names, _field("allowed_host_names")),
    f"{SECURITY}basicRealm": Property(as_text, _field("basic_realm")),
    f"{SECURITY}clients.blacklist": Property(as_pattern, _field("blacklist")),
    f"{SECURITY}clients.remoteIpHeader": Property(as_text, _field("remote_ip_header")),
    f"{SECURITY}clients.trackRemoteIp": Property(as_yes_no, _field("track_remote_ip")),
    f"{SECURITY}dos.filter.enabled": Property(as_yes_no, _dos("enabled")),
    f"{SECURITY}dos.filter.whitelist": Property(as_pattern, _dos("whitelist")),
    f"{SECURITY}dos.filter.maxRead": Property(as_count, _dos("max_read")),
    f"{SECURITY}dos.filter.maxWrite": Property(as_count, _dos("max_write")),
    f"{SECURITY}dos.maxAttributeEntriesPerTarget": Property(as_quota_count, _quota("attributes_per_target")),
    f"{SECURITY}dos.maxMetaDataEntriesPerTarget": Property(as_quota_count, _quota("metadata_per_target")),
    f"{SECURITY}dos.maxMetaDataEntriesPerDistributionSet": Property(as_quota_count, _quota("metadata_per_set")),
    f"{SECURITY}dos.maxMetaDataEntriesPerSoftwareModule": Property(as_quota_count, _quota("metadata_per_module")),
    f"{SECURITY}dos.maxActionsPerTarget": Property(as_quota_count, _quota("actions_per_target")),
    f"{SECURITY}dos.maxStatusEntriesPerAction": Property(as_quota_count, _quota("status_entries_per_action")),
    f"{SECURITY}dos.maxMessagesPerActionStatus": Property(as_quota_count, _quota("messages_per_status")),
    f"{SECURITY}dos.maxTargetDistributionSetAssignmentsPerManualAssignment": Property(
        as_count, _quota("assignments_per_request")
    ),
    f"{SECURITY}dos.maxRolloutGroupsPerRollout": Property(as_count, _quota("groups_per_rollout")),
    f"{SECURITY}dos.maxTargetsPerRolloutGroup": Property(as_count, _quota("targets_per_rollout_group")),
    f"{SECURITY}dos.maxTargetsPerAutoAssignment": Property(as_quota_count, _quota("targets_per_auto_assignment")),
    f"{SECURITY}dos.maxSoftwareModulesPerDistributionSet": Property(as_quota_count, _quota("modules_per_set")),
    f"{SECURITY}dos.maxSoftwareModuleTypesPerDistributionSetType": Property(
        as_quota_count, _quota("module_types_per_set_type")
    ),
    f"{SECURITY}dos.maxArtifactsPerSoftwareModule": Property(as_quota_count, _quota("artifacts_per_module")),
    f"{SECURITY}dos.maxDistributionSetTypesPerTargetType": Property(
        as_quota_count, _quota("set_types_per_target_type")
    ),
    f"{SECURITY}dos.maxArtifactSize": Property(as_count, _quota("artifact_bytes")),
    f"{SECURITY}dos.maxArtifactStorage": Property(as_count, _quota("all_artifacts_bytes")),
    "hawkbit.server.repository.implicitTenantCreateAllowed": Property(as_yes_no, _field("implicit_tenant_creation")),
    "hawkbit.rollout.scheduler.fixedDelay": Property(as_seconds, _field("rollout_every_s")),
    "hawkbit.server.repository.dynamicRolloutsMinInvolvePeriodMS": Property(as_seconds, _field("dynamic_fill_every_s")),
    "hawkbit.autocleanup.scheduler.fixedDelay": Property(as_seconds, _field("action_cleanup_every_s")),
    FIRST_ACTION_ID: Property(as_first_id, _field("first_action_id")),
    "hawkbit.autoassign.scheduler.fixedDelay": Property(as_seconds, _field("auto_assign_every_s")),
}

USERS: Final = "hawkbit.security.user."
USER_PARTS: Final = ("password", "roles", "permissions", "tenant")
ACCOUNT: Final = re.compile(re.escape(USERS) + rf"(?P<user>[^.]+)\.(?P<part>{'|'.join(USER_PARTS)})")
LEAST_ALIKE: Final = 0.6
"""How much two words have in common, at least, to be meant for one another."""
READERS: Final[dict[str, Callable[[str], Any]]] = {
    "Boolean": as_yes_no,
    "Integer": as_count,
    "Long": int,
    "String": as_text,
}


def _add_tenant_defaults() -> None:
    """`hawkbit.server.tenant.configuration.<name>.defaultValue`, the name with dashes (`implicit-lock-enabled`)."""
    for key in KEYS.values():
        dashed = re.sub(r"([a-z])([A-Z])", r"\1-\2", key.name).replace(".", "-").lower()
        dashed = dashed.replace("user-confirmation-flow-enabled", "user-confirmation-enabled")
        read = {"pollingTime": as_polling_time, "pollingOverdueTime": as_duration}.get(key.name, READERS[key.java_type])
        KNOWN[f"{TENANT_DEFAULT}{dashed}.defaultValue"] = Property(read, _default(key.name))


_add_tenant_defaults()


def _with_accounts(settings: Settings, given: Mapping[str, Mapping[str, str]]) -> Settings:
    """`hawkbit.security.user.<name>.password|roles|permissions|tenant`: adds users, or changes those that there are."""
    accounts = {account.user: account for account in settings.accounts}
    for user, parts in given.items():
        before = accounts.get(user)
        if before is None and "password" not in parts:
            raise ValueError(f"hawkbit.security.user.{user}: a new user needs hawkbit.security.user.{user}.password")
        account = before or Account(user, "", ())
        rights = tuple(f"ROLE_{role}" for role in as_names(parts.get("roles", ""))) + as_names(
            parts.get("permissions", "")
        )
        for wrong, near in unknown_rights(rights).items():
            raise ValueError(f"user {user}: no right {wrong.removeprefix('ROLE_')!r}" + _did_you_mean(near))
        password = parts.get("password", account.password).removeprefix("{noop}")
        tenant = parts.get("tenant", account.tenant)
        if why := why_no_basic_account(user, password):
            raise ValueError(f"hawkbit.security.user.{user}: {why}")
        accounts[user] = Account(user, password, rights or account.rights, tenant)
    return replace(settings, accounts=tuple(accounts.values()))


def _unknown(name: str) -> str:
    if hint := hint_for(name):
        return f"no property {name!r} here: {hint}"
    related = [known for known in _known_names(name) if _is_related(name, known)]
    near = get_close_matches(name, related, n=1, cutoff=LEAST_ALIKE)
    return f"no property {name!r}" + _did_you_mean(near[0] if near else "")


def _known_names(name: str) -> list[str]:
    """All that there are; where a name is the user's choice, with the one that stands in `name`."""
    words = name.split(".")
    chosen = words[-2] if len(words) > 1 else ""
    groups = ((USERS, USER_PARTS), (artifact_properties.PREFIX, artifact_properties.READ))
    return [*KNOWN, *(f"{start}{chosen}.{part}" for start, parts in groups for part in parts)]


def _is_related(name: str, known: str) -> bool:
    """Whether the last words are nearly the same, and what differs, the words at both ends that are the same aside.

    One word may be left out.
    """
    left, right = name.split("."), known.split(".")
    if SequenceMatcher(None, left[-1], right[-1]).ratio() < LEAST_ALIKE:
        return False
    start = _same(left, right)
    end = _same(left[start:][::-1], right[start:][::-1])
    left, right = left[start : len(left) - end], right[start : len(right) - end]
    if not left or not right:
        return end > 0 and len(left) + len(right) == 1
    return SequenceMatcher(None, ".".join(left), ".".join(right)).ratio() >= LEAST_ALIKE


def _same(left: list[str], right: list[str]) -> int:
    """How many words are the same from the start on."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))


def _did_you_mean(near: str) -> str:
    return f": did you mean {near}?" if near else ""
