"""Who may read and write which topics: the rules that Kapua's AclCreator makes of a user's permissions (spec 5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fleetrig.reference_server.mqtt_sessions.topic_filters import ANY_LEVEL, ANY_REST, fits, levels_of


@dataclass(frozen=True, slots=True)
class BrokerRights:
    """What of a user's permissions counts for topics."""

    is_admin: bool = False
    manages_devices: bool = False
    """Permission `device_management:write`."""
    manages_data: bool = False
    """Permission `datastore:write`."""
    views_data: bool = False
    """Permission `datastore:read`."""


PLAIN: Final = BrokerRights()


@dataclass(frozen=True, slots=True)
class AccessRule:
    """`may_create`: the address may come into being by this user; no other rule depends on it here."""

    topic_filter: str
    may_read: bool = True
    may_write: bool = True
    may_create: bool = True


ADMIN_RULES: Final = (AccessRule("#"), AccessRule("$EDC/#"))


def rules_of(rights: BrokerRights, account: str, client_id: str) -> tuple[AccessRule, ...]:
    """In the order of the real builder, which pastes the client id in as it is; one with wildcards is refused."""
    if rights.is_admin:
        return ADMIN_RULES
    control = f"$EDC/{account}/#" if rights.manages_devices else f"$EDC/{account}/{client_id}/#"
    return (
        AccessRule(control),
        *_data_rules(rights, account, client_id),
        AccessRule(f"$EDC/{account}/+/+/REPLY/#", may_read=False),
        AccessRule(f"$EDC/{account}/+/+/NOTIFY/{client_id}/#", may_read=False),
    )


def _data_rules(rights: BrokerRights, account: str, client_id: str) -> tuple[AccessRule, ...]:
    own = f"{account}/{client_id}/#"
    if rights.manages_data:
        return (AccessRule(f"{account}/#"),)
    if rights.views_data:
        return AccessRule(f"{account}/#", may_write=False, may_create=False), AccessRule(own, may_read=False)
    return (AccessRule(own),)


class AccessList:
    """The rules of one connection, read once."""

    __slots__ = ("_readable", "_writable")

    def __init__(self, rules: Sequence[AccessRule]) -> None:
        self._readable = [levels_of(rule.topic_filter) for rule in rules if rule.may_read]
        self._writable = [levels_of(rule.topic_filter) for rule in rules if rule.may_write]

    def may_write(self, topic: str) -> bool:
        levels = levels_of(topic)
        return any(fits(rule, levels) for rule in self._writable)

    def may_subscribe(self, topic_filter: str) -> bool:
        """Everything that the filter stands for is readable by one rule."""
        levels = levels_of(topic_filter)
        return any(_covers(rule, levels) for rule in self._readable)


def _covers(rule_levels: Sequence[str], filter_levels: Sequence[str]) -> bool:
    if filter_levels[0].startswith("$") and rule_levels[0] in (ANY_LEVEL, ANY_REST):
        return False
    for at, level in enumerate(rule_levels):
        if level == ANY_REST:
            return True
        if at == len(filter_levels) or filter_levels[at] == ANY_REST:
            return False
        if level not in (ANY_LEVEL, filter_levels[at]):
            return False
    return len(rule_levels) == len(filter_levels)
