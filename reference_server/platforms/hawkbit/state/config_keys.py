"""The keys of a tenant's configuration: type and default (§1.6)."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from fleetrig.reference_server.platforms.hawkbit.state.errors import config_key_invalid

if TYPE_CHECKING:
    from fleetrig.reference_server.platforms.hawkbit.state.generations import Traits
    from fleetrig.reference_server.platforms.hawkbit.state.records import Tenant
    from fleetrig.reference_server.platforms.hawkbit.state.settings import Settings


GATEWAY_KEY: Final = "authentication.gatewaytoken.key"


@dataclass(frozen=True, slots=True)
class ConfigKey:
    """`java_type` is what the server calls it in messages: Boolean, Integer, Long or String."""

    name: str
    java_type: str
    default: Any


KEYS: Final = {
    key.name: key
    for key in (
        ConfigKey("authentication.targettoken.enabled", "Boolean", False),
        ConfigKey("authentication.gatewaytoken.enabled", "Boolean", False),
        ConfigKey(GATEWAY_KEY, "String", ""),
        ConfigKey("authentication.header.enabled", "Boolean", False),
        ConfigKey("authentication.header.authority", "String", ""),
        ConfigKey("pollingTime", "String", "00:05:00"),
        ConfigKey("pollingOverdueTime", "String", "00:05:00"),
        ConfigKey("maintenanceWindowPollCount", "Integer", 3),
        ConfigKey("repository.actions.autoclose.enabled", "Boolean", False),
        ConfigKey("user.confirmation.flow.enabled", "Boolean", False),
        ConfigKey("rollout.approval.enabled", "Boolean", False),
        ConfigKey("auto.assignment.approval.enabled", "Boolean", False),
        ConfigKey("batch.assignments.enabled", "Boolean", False),
        ConfigKey("implicit.lock.enabled", "Boolean", True),
        ConfigKey("action.cleanup.auto.expiry", "Long", -1),
        ConfigKey("action.cleanup.auto.status", "String", "CANCELED,ERROR"),
        ConfigKey("action.cleanup.onQuotaHit.percent", "Integer", 0),
        ConfigKey("action.delete.allowed.statuses", "String", "CANCELED,ERROR,FINISHED"),
    )
}


LATER: Final = frozenset(
    {
        "auto.assignment.approval.enabled",
        "action.cleanup.auto.expiry",
        "action.cleanup.auto.status",
        "action.cleanup.onQuotaHit.percent",
        "action.delete.allowed.statuses",
    }
)
OLD_KEYS: Final = {
    **{name: key for name, key in KEYS.items() if name not in LATER},
    **{
        key.name: key
        for key in (
            ConfigKey("minPollingTime", "String", "00:00:30"),
            ConfigKey("multi.assignments.enabled", "Boolean", False),
            ConfigKey("action.cleanup.enabled", "Boolean", False),
            ConfigKey("action.cleanup.actionExpiry", "Long", 2592000000),
            ConfigKey("action.cleanup.actionStatus", "String", "CANCELED,ERROR"),
        )
    },
}


def known_keys(traits: Traits) -> dict[str, ConfigKey]:
    """Those that a generation shows and takes."""
    return OLD_KEYS if traits.has_old_config_keys else KEYS


def config_key(traits: Traits, name: str) -> ConfigKey:
    """Raises 400 configKeyInvalid for an unknown key."""
    known = known_keys(traits)
    if name not in known:
        near = next(iter(get_close_matches(name, known, n=1)), "")
        raise config_key_invalid(name, f"no such configuration key: {name}" + (f"; near: {near}" if near else ""))
    return known[name]


def server_default(settings: Settings, key: ConfigKey) -> Any:
    return settings.config_defaults.get(key.name, key.default)


def effective(settings: Settings, record: Tenant | None) -> dict[str, Any]:
    """Every key with the value in force."""
    values = {name: server_default(settings, key) for name, key in KEYS.items()}
    if record is not None:
        values.update({name: entry["value"] for name, entry in record.values.items()})
    return values
