"""Mistakes of the broker: topics, lifecycle, users, payloads (C…, L…, N…, U…, S28, S31 to S33, S38, S39)."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fleetrig.harness.platforms.kura.conformance.payload_bytes import METRIC, NAME, POSITION, fields_of
from fleetrig.reference_server.mqtt_codec import incoming
from fleetrig.reference_server.mqtt_sessions import message_flow, subscription_tree
from fleetrig.reference_server.platform import NOTHING
from fleetrig.reference_server.platforms.kura.broker import lifecycle_messages, signing_in
from fleetrig.reference_server.platforms.kura.broker.access_rules import PLAIN, AccessList, AccessRule
from fleetrig.reference_server.platforms.kura.broker.broker import KuraBroker
from fleetrig.reference_server.platforms.kura.broker.lifecycle_messages import Heard, LifecycleMessages
from fleetrig.reference_server.platforms.kura.broker.topics import Lifecycle
from fleetrig.reference_server.platforms.kura.device_management import control_calls
from fleetrig.reference_server.platforms.kura.payload import gzip_rule
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, string
from fleetrig.reference_server.platforms.kura.state import connections, coupling, devices, sign_in
from fleetrig.reference_server.platforms.kura.state.accounts import account_by_id
from fleetrig.reference_server.platforms.kura.state.credentials import is_locked, save_credential
from fleetrig.reference_server.platforms.kura.state.device_records import CONNECTION, ConnectionStatus
from fleetrig.reference_server.platforms.kura.state.records import CouplingMode
from fleetrig.reference_server.platforms.kura.state.settings import Settings
from fleetrig.simulator.contract.bounds import Bound
from fleetrig.simulator.contract.clock import US_PER_S
from tests.harness.conformance.code_changes import Change, always, being, giving, instead, then
from tests.harness.platforms.kura.conformance.mutants import mutant, rules

# -- payloads


def reads(function: Callable[..., KuraPayload]) -> Change:
    """How lifecycle messages are decoded; the function gets the right way first."""
    return (lifecycle_messages, "decode", instead(function))


UNREAD = KuraPayload(undecodable="a mutant cannot read it")


def unless(is_odd: Callable[[bytes], bool]) -> Change:
    """Payloads like these are not read."""
    return reads(lambda original, data: UNREAD if is_odd(data) else original(data))


def numbers_in(data: bytes) -> list[int]:
    try:
        return [number for number, _ in fields_of(data)]
    except ValueError:
        return []


def metric_types(data: bytes) -> set[Any]:
    return {
        dict(fields_of(one)).get(2) for number, one in fields_of(data) if number == METRIC and isinstance(one, bytes)
    }


def is_readable(data: bytes) -> bool:
    return bool(numbers_in(data))


def leniently(data: bytes) -> KuraPayload:
    """Whatever can be read of it: metrics with a name and a text."""
    metrics = {}
    try:
        for number, one in fields_of(data):
            if number == METRIC and isinstance(one, bytes):
                found = dict(fields_of(one))
                name, value = found.get(NAME), found.get(8)
                if isinstance(name, bytes) and isinstance(value, bytes):
                    metrics[name.decode()] = string(value.decode())
    except ValueError:
        pass
    return KuraPayload(metrics=metrics)


def reads_all(original: Any, data: bytes) -> KuraPayload:
    found: KuraPayload = original(data)
    return leniently(data) if found.undecodable else found


def reads_cut_gzip(original: Any, data: bytes) -> KuraPayload:
    found: KuraPayload = original(data)
    if not found.undecodable or not data.startswith(b"\x1f\x8b"):
        return found
    try:
        return leniently(zlib.decompressobj(31).decompress(data))
    except zlib.error:
        return found


def fails(original: Any, data: bytes) -> KuraPayload:
    found: KuraPayload = original(data)
    if found.undecodable:
        raise ValueError(found.undecodable)
    return found


def json_otherwise(original: Any, data: bytes) -> KuraPayload:
    return KuraPayload(metrics={"serial_number": string("?")}) if data.startswith(b"{") else original(data)


def without_empty(original: Any, data: bytes) -> KuraPayload:
    return UNREAD if b"\x0a\x03odd" in data else original(data)


# -- lifecycle


def without(*kinds: Lifecycle) -> Change:
    """Messages of these kinds are not heard."""

    def heard(original: Any, self: Any, live: Any, lifecycle: Lifecycle, *more: Any) -> Heard:
        return Heard() if lifecycle in kinds else original(self, live, lifecycle, *more)

    return (LifecycleMessages, "heard", instead(heard))


def born_at_no_time(
    original: Any, registry: Any, scope: str, client: str, document: Any, sent: Any, *more: Any, **named: Any
) -> Any:
    return original(registry, scope, client, document, None, *more, **named)


def born_without_colons(original: Any, registry: Any, scope: str, client: str, *more: Any, **named: Any) -> Any:
    return original(registry, scope, client.replace(":", ""), *more, **named)


def born_anonymous(
    original: Any, registry: Any, scope: str, client: str, document: Any, *more: Any, **named: Any
) -> Any:
    return original(
        registry, scope, client, {**document, "displayName": document.get("displayName") or " "}, *more, **named
    )


def born_once(original: Any, registry: Any, scope: str, client: str, *more: Any, **named: Any) -> Any:
    return devices.device_by_client(registry, scope, client) or original(registry, scope, client, *more, **named)


def only_looked_at(original: Any, registry: Any, scope: str, client: str, *more: Any) -> Any:
    found = devices.device_by_client(registry, scope, client)
    return found if found is not None else original(registry, scope, client, *more)


def of_anybody(original: Any, self: Any, live: Any, now_us: int) -> Any:
    live.was_replaced = False
    return original(self, live, now_us)


def always_missing(original: Any, self: Any, live: Any, status: Any, now_us: int) -> Any:
    return original(self, live, ConnectionStatus.MISSING, now_us)


def heard_by_all(original: Any, self: Any, levels: Any) -> Any:
    yield from original(self, levels)
    everything = self._root.children.get("#")
    if everything is not None and levels[0].startswith("$"):
        yield from everything.wanted.items()


# -- users


def permitted_again(original: Any, registry: Any, account: Any, client_id: str, *more: Any) -> Any:
    before = connections.connection_by_client(registry, account.id, client_id)
    made = original(registry, account, client_id, *more)
    if before is None or not before.allow_user_change:
        return made
    kept = replace(made, allow_user_change=True)
    registry.store.put(CONNECTION, account.id, kept)
    return kept


def loose_accounts(original: Any, account: Any, connection: Any) -> Any:
    return original(replace(account, settings=replace(account.settings, coupling=CouplingMode.LOOSE)), connection)


def locked_for_ever(original: Any, credential: Any, policy: Any, now_us: int) -> bool:
    return credential.lockout_reset_us is not None


def locked_anew(original: Any, registry: Any, credential: Any, policy: Any, password: str, now_us: int) -> Any:
    if is_locked(credential, policy, now_us):
        until_us = now_us + policy.lock_s * US_PER_S
        save_credential(registry, replace(credential, lockout_reset_us=until_us))
    return original(registry, credential, policy, password, now_us)


def never_forgotten(original: Any, credential: Any, *more: Any) -> Any:
    return original(replace(credential, failures_reset_us=None), *more)


def two_failures(original: Any, credential: Any, policy: Any, now_us: int) -> Any:
    return original(credential, replace(policy, max_failures=2), now_us)


def any_account(original: Any, registry: Any, user: Any, now_us: int) -> Any:
    return account_by_id(registry, user.scope_id)


def notifying_all(rules: tuple[AccessRule, ...]) -> tuple[AccessRule, ...]:
    return tuple(replace(one, topic_filter=re.sub(r"NOTIFY/[^/]*/", "NOTIFY/+/", one.topic_filter)) for one in rules)


LARGE = Bound(1 << 30, "bytes", "a mutant takes all", "1 GiB")

MUTANTS = (
    # payloads
    mutant("metrics of type FLOAT are not read", "C01",
           unless(lambda data: is_readable(data) and 1 in metric_types(data)),
           spares="C02"),
    mutant("positions are not read", "C01 C02", unless(lambda data: POSITION in numbers_in(data)), spares="C03"),
    mutant("the body comes last", "C02", unless(lambda data: 5001 in numbers_in(data)[:-1]), spares="C01"),
    mutant("unknown fields are mistakes", "C03", unless(lambda data: bool({10, 4000} & set(numbers_in(data)))),
           spares="C02"),
    mutant("odd metrics are left out", "C04 C07", reads(reads_all), spares="C01 C02"),
    mutant("a metric without a value is a mistake", "C04", reads(without_empty), spares="C01"),
    mutant("gzip of BIRTH is not read", "C05", unless(lambda data: data.startswith(b"\x1f\x8b")), spares="C01"),
    mutant("gzip is read as far as it goes", "C05", reads(reads_cut_gzip), spares="C04"),
    mutant("all that is sent is compressed", "C06",
           (control_calls, "encode", then(lambda data: zlib.compress(data, wbits=31, level=0))), spares="C05"),
    mutant("what is no payload is a bug", "C04 C05 C07", reads(fails), spares="C01", bug=True),
    mutant("JSON is read as something else", "C08", reads(json_otherwise), spares="C07"),
    mutant("64 MiB are taken", "C09", settings=Settings(payload_bytes=64 << 20), spares="C07"),
    mutant("a byte more than 16 MiB is taken", "C09", settings=Settings(payload_bytes=(16 << 20) + 1), spares="C07"),
    mutant("a byte less than 16 MiB is the most", "C09", settings=Settings(payload_bytes=(16 << 20) - 1), spares="C07"),
    mutant("gzip unpacks to anything", "C10", (gzip_rule, "PLAIN_BYTES", being(LARGE)), spares="C05"),
    # topics
    mutant("gateways write to each other", "S28", (AccessList, "may_write", giving(True)), spares="L01"),
    mutant("gateways hear each other", "S28", (AccessList, "may_subscribe", giving(True)), spares="L01"),
    mutant("# hears control topics", "N01", (subscription_tree.SubscriptionTree, "matching", instead(heard_by_all)),
           spares="L01"),
    mutant("any client id will do", "N02", (signing_in, "client_id_flaw", giving("")), spares="L01"),
    mutant("colons are left out", "N03", (lifecycle_messages, "born", instead(born_without_colons)), spares="L01"),
    mutant("topics may have wildcards", "N04", (incoming, "check_topic_name", giving(None)),
           (message_flow, "topic_flaw", giving("")), silence=True, spares="N03"),
    mutant("nobody writes to REPLY topics of others", "N05 N06",
           (signing_in, "rules_of", then(lambda found: tuple(one for one in found if "REPLY" not in one.topic_filter))),
           spares="S28"),
    mutant("NOTIFY may name anybody", "N05", (signing_in, "rules_of", then(notifying_all)), spares="S28"),
    mutant("nobody manages devices", "N06", (signing_in, "rights_of", giving(PLAIN)), spares="N05"),
    # lifecycle
    mutant("BIRTH is not heard", "L01 L02 L03 L05 N03 C01 C02 C03", without(Lifecycle.BIRTH), spares="S28"),
    mutant("BIRTH is no event", "L01", (lifecycle_messages, "record_event",
           instead(lambda _, registry, device, *more: device)),
           spares="L05"),
    mutant("each BIRTH makes a device", "L02", (devices, "device_by_client", giving(None)), spares="L01"),
    mutant("only the first BIRTH counts", "L02", (lifecycle_messages, "born", instead(born_once)), spares="L01"),
    mutant("an empty display name counts", "L02", (lifecycle_messages, "born", instead(born_anonymous)), spares="L01"),
    mutant("APPS is not heard", "L03", without(Lifecycle.APPS), spares="L01"),
    mutant("APPS changes nothing", "L03", (lifecycle_messages, "apps_changed", instead(only_looked_at)), spares="L01"),
    mutant("the time of BIRTH means nothing", "L04", (lifecycle_messages, "born", instead(born_at_no_time)),
           spares="L01 L02"),
    mutant("accounts have room for all", "L05", (devices, "check_room", giving(None)), spares="L01"),
    mutant("nobody is taken over", "S31", rules(takes_over=False), silence=True, spares="S28"),
    mutant("the will of who was replaced counts", "S31", (LifecycleMessages, "missing", instead(of_anybody)),
           spares="L06"),
    mutant("silence is no end", "S32", rules(keep_alive_factor=None), silence=True, spares="L06"),
    mutant("wills are not published", "S32 L06", rules(publishes_wills=False), silence=True, spares="S33"),
    mutant("LWT means nothing", "S32 L06", (LifecycleMessages, "missing", giving(Heard())), spares="S33"),
    mutant("who leaves is missing", "S33", (LifecycleMessages, "gone", instead(always_missing)), spares="L06"),
    mutant("DC is not heard", "S33", without(Lifecycle.DC), spares="L06"),
    # users
    mutant("users are not coupled", "S38 U01 U02", (connections, "why_not_coupled", giving("")), spares="S39"),
    mutant("a change of user is permitted for ever", "S38", (signing_in, "connected", instead(permitted_again)),
           spares="U01"),
    mutant("accounts do not couple", "U01", (coupling, "coupling_of", instead(loose_accounts)), spares="S38"),
    mutant("reserved users go elsewhere", "U02", (coupling, "is_reserved_elsewhere", giving(False)), spares="S38"),
    mutant("passwords are never locked", "S39 U03", (sign_in, "after_failure",
           instead(lambda _, credential, *more: credential)),
           spares="S38"),
    mutant("two failures lock", "S39", (sign_in, "after_failure", instead(two_failures)), spares="S38"),
    mutant("locks last for ever", "U03", (sign_in, "is_locked", instead(locked_for_ever)), spares="S39"),
    mutant("retries extend a lock", "U03", (sign_in, "_check", instead(locked_anew)), spares="S39"),
    mutant("failures are never forgotten", "U03", (sign_in, "after_failure", instead(never_forgotten)), spares="S39"),
    mutant("no right is needed", "U04", (sign_in, "is_permitted", giving(True)), spares="S38"),
    mutant("disabled users are let in", "U04", (sign_in, "check_usable", instead(any_account)), spares="S38"),
    mutant("disabled passwords are let in", "U04", (sign_in, "is_usable", giving(True)), spares="S38"),
    mutant("disabled devices are let in", "U05", (Settings, "enforces_disabled", always(False)), spares="U04"),
    mutant("_disconnect ends nothing", "U06", (KuraBroker, "_kick", giving(NOTHING)), silence=True, spares="U05"),
)  # fmt: skip
