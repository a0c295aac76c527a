"""Start-up properties under the real server's names to `Settings` (`fleetrig serve --set KEY=VALUE`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.state.config_keys import KEYS
from fleetrig.reference_server.platforms.hawkbit.state.forwarded import Forwarding
from fleetrig.reference_server.platforms.hawkbit.state.permissions import unknown_rights
from fleetrig.reference_server.platforms.hawkbit.state.polling import parse_duration, parse_polling_time
from fleetrig.reference_server.platforms.hawkbit.state.settings import UNLIMITED, Account, Settings

TRUE: Final = frozenset({"true", "on", "yes", "1"})
FALSE: Final = frozenset({"false", "off", "no", "0"})

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
    for name, text in properties.items():
        if (account := ACCOUNT.fullmatch(name)) is not None:
            accounts.setdefault(account["user"], {})[account["part"]] = text
            continue
        known = KNOWN.get(name)
        if known is None:
            raise ValueError(_unknown(name))
        try:
            settings = known.apply(settings, known.read(text))
        except ValueError as error:
            raise ValueError(f"property {name}={text!r}: {error}") from None
    return _with_accounts(settings, accounts)


def _field(name: str) -> Apply:
    return lambda settings, value: replace(settings, **{name: value})


def _dos(name: str) -> Apply:
    return lambda settings, value: replace(settings, dos=replace(settings.dos, **{name: value}))


def _quota(name: str) -> Apply:
    return lambda settings, value: replace(settings, quotas=replace(settings.quotas, **{name: value}))


def _default(key: str) -> Apply:
    """The server default of a key of the tenant configuration."""
    return lambda settings, value: replace(settings, config_defaults={**settings.config_defaults, key: value})


def _text(text: str) -> str:
    return text


def _numbered_header(text: str) -> str:
    """As releases before 1.0 wrote it: `X-Ssl-Issuer-Hash-%d`."""
    if not text.endswith("-%d"):
        raise ValueError("expected the name of a header that ends in -%d")
    return text.removesuffix("-%d")


def _yes_no(text: str) -> bool:
    if text.strip().lower() not in TRUE | FALSE:
        raise ValueError("expected true or false")
    return text.strip().lower() in TRUE


def _count(text: str) -> int:
    if not text.strip().isdecimal():
        raise ValueError("expected a whole number, 0 or more")
    return int(text)


def _quota_count(text: str) -> int:
    """0 or less is no limit at all."""
    try:
        number = int(text.strip())
    except ValueError:
        raise ValueError("expected a whole number; 0 or less for no limit") from None
    return number if number > 0 else UNLIMITED


def _forwarding(text: str) -> Forwarding:
    try:
        return Forwarding(text.strip().lower())
    except ValueError:
        raise ValueError(f"expected one of {', '.join(Forwarding).upper()}") from None


def _duration(text: str) -> str:
    if parse_duration(text.strip()) < 0:
        raise ValueError("a duration cannot be negative")
    return text.strip()


def _polling_time(text: str) -> str:
    parse_polling_time(text)
    return text


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from None
    return text


def _milliseconds_as_s(text: str) -> float:
    return _count(text) / 1000


DDI: Final = "hawkbit.server.ddi.security."
SECURITY: Final = "hawkbit.server.security."
TENANT_DEFAULT: Final = "hawkbit.server.tenant.configuration."

KNOWN: Final[dict[str, Property]] = {
    "server.forward-headers-strategy": Property(_forwarding, _field("forwarding")),
    "hawkbit.controller.minPollingTime": Property(_duration, _field("min_polling_time")),
    "hawkbit.controller.maxPollingTime": Property(_duration, _field("max_polling_time")),
    "hawkbit.controller.pollingTime": Property(_polling_time, _default("pollingTime")),
    "hawkbit.controller.pollingOverdueTime": Property(_duration, _default("pollingOverdueTime")),
    "hawkbit.controller.maintenanceWindowPollCount": Property(_count, _default("maintenanceWindowPollCount")),
    f"{DDI}authentication.targettoken.enabled": Property(_yes_no, _default("authentication.targettoken.enabled")),
    f"{DDI}authentication.gatewaytoken.enabled": Property(_yes_no, _default("authentication.gatewaytoken.enabled")),
    f"{DDI}authentication.gatewaytoken.key": Property(_text, _default("authentication.gatewaytoken.key")),
    f"{DDI}authentication.header.enabled": Property(_yes_no, _default("authentication.header.enabled")),
    f"{DDI}authentication.header.authority": Property(_text, _default("authentication.header.authority")),
    f"{DDI}rp.controllerIdHeader": Property(_text, _field("identity_header")),
    f"{DDI}rp.authorityHeader": Property(_text, _field("authority_header")),
    f"{DDI}rp.cnHeader": Property(_text, _field("identity_header")),
    f"{DDI}rp.sslIssuerHashHeader": Property(_numbered_header, _field("authority_header")),
    f"{DDI}rp.authoritiesSeparatorRegex": Property(_pattern, _field("authority_separator")),
    f"{DDI}rp.trustedIPs": Property(_names, _field("trusted_ips")),
    f"{SECURITY}allowedHostNames": Property(_names, _field("allowed_host_names")),
    f"{SECURITY}basicRealm": Property(_text, _field("basic_realm")),
    f"{SECURITY}clients.blacklist": Property(_pattern, _field("blacklist")),
    f"{SECURITY}clients.remoteIpHeader": Property(_text, _field("remote_ip_header")),
    f"{SECURITY}clients.trackRemoteIp": Property(_yes_no, _field("track_remote_ip")),
    f"{SECURITY}dos.filter.enabled": Property(_yes_no, _dos("enabled")),
    f"{SECURITY}dos.filter.whitelist": Property(_pattern, _dos("whitelist")),
    f"{SECURITY}dos.filter.maxRead": Property(_count, _dos("max_read")),
    f"{SECURITY}dos.filter.maxWrite": Property(_count, _dos("max_write")),
    f"{SECURITY}dos.maxAttributeEntriesPerTarget": Property(_quota_count, _quota("attributes_per_target")),
    f"{SECURITY}dos.maxMetaDataEntriesPerTarget": Property(_quota_count, _quota("metadata_per_target")),
    f"{SECURITY}dos.maxMetaDataEntriesPerDistributionSet": Property(_quota_count, _quota("metadata_per_set")),
    f"{SECURITY}dos.maxMetaDataEntriesPerSoftwareModule": Property(_quota_count, _quota("metadata_per_module")),
    f"{SECURITY}dos.maxActionsPerTarget": Property(_quota_count, _quota("actions_per_target")),
    f"{SECURITY}dos.maxStatusEntriesPerAction": Property(_quota_count, _quota("status_entries_per_action")),
    f"{SECURITY}dos.maxMessagesPerActionStatus": Property(_quota_count, _quota("messages_per_status")),
    f"{SECURITY}dos.maxTargetDistributionSetAssignmentsPerManualAssignment": Property(
        _count, _quota("assignments_per_request")
    ),
    f"{SECURITY}dos.maxRolloutGroupsPerRollout": Property(_count, _quota("groups_per_rollout")),
    f"{SECURITY}dos.maxTargetsPerRolloutGroup": Property(_count, _quota("targets_per_rollout_group")),
    f"{SECURITY}dos.maxTargetsPerAutoAssignment": Property(_quota_count, _quota("targets_per_auto_assignment")),
    f"{SECURITY}dos.maxSoftwareModulesPerDistributionSet": Property(_quota_count, _quota("modules_per_set")),
    f"{SECURITY}dos.maxSoftwareModuleTypesPerDistributionSetType": Property(
        _quota_count, _quota("module_types_per_set_type")
    ),
    f"{SECURITY}dos.maxArtifactsPerSoftwareModule": Property(_quota_count, _quota("artifacts_per_module")),
    f"{SECURITY}dos.maxDistributionSetTypesPerTargetType": Property(_quota_count, _quota("set_types_per_target_type")),
    f"{SECURITY}dos.maxArtifactSize": Property(_count, _quota("artifact_bytes")),
    f"{SECURITY}dos.maxArtifactStorage": Property(_count, _quota("all_artifacts_bytes")),
    "hawkbit.server.repository.implicitTenantCreateAllowed": Property(_yes_no, _field("implicit_tenant_creation")),
    "hawkbit.rollout.scheduler.fixedDelay": Property(_milliseconds_as_s, _field("rollout_every_s")),
    "hawkbit.server.repository.dynamicRolloutsMinInvolvePeriodMS": Property(
        _milliseconds_as_s, _field("dynamic_fill_every_s")
    ),
    "hawkbit.autocleanup.scheduler.fixedDelay": Property(_milliseconds_as_s, _field("action_cleanup_every_s")),
    "hawkbit.autoassign.scheduler.fixedDelay": Property(_milliseconds_as_s, _field("auto_assign_every_s")),
}

ACCOUNT: Final = re.compile(r"hawkbit\.security\.user\.(?P<user>[^.]+)\.(?P<part>password|roles|permissions|tenant)")
READERS: Final[dict[str, Callable[[str], Any]]] = {"Boolean": _yes_no, "Integer": _count, "Long": int, "String": _text}


def _add_tenant_defaults() -> None:
    """`hawkbit.server.tenant.configuration.<name>.defaultValue`, the name with dashes (`implicit-lock-enabled`)."""
    for key in KEYS.values():
        dashed = re.sub(r"([a-z])([A-Z])", r"\1-\2", key.name).replace(".", "-").lower()
        dashed = dashed.replace("user-confirmation-flow-enabled", "user-confirmation-enabled")
        read = {"pollingTime": _polling_time, "pollingOverdueTime": _duration}.get(key.name, READERS[key.java_type])
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
        rights = tuple(f"ROLE_{role}" for role in _names(parts.get("roles", ""))) + _names(parts.get("permissions", ""))
        for wrong, near in unknown_rights(rights).items():
            raise ValueError(f"user {user}: no right {wrong.removeprefix('ROLE_')!r}" + _did_you_mean(near))
        password = parts.get("password", account.password).removeprefix("{noop}")
        tenant = parts.get("tenant", account.tenant)
        accounts[user] = Account(user, password, rights or account.rights, tenant)
    return replace(settings, accounts=tuple(accounts.values()))


def _unknown(name: str) -> str:
    near = get_close_matches(name, KNOWN, n=1, cutoff=0.5)
    return f"no property {name!r}" + _did_you_mean(near[0] if near else "")


def _did_you_mean(near: str) -> str:
    return f": did you mean {near}?" if near else ""
