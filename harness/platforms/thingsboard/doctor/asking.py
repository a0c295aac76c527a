"""Asks as the device: in earnest where that has no effect, else by what the server refuses for another reason.

Nobody is provisioned by a request whose device has a name that no device can have, but key and secret were looked at
before; and nobody is made by a leaf whose chain is held back. A trial (`--try`) makes a device and removes it again.
"""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from fleetrig.harness.platforms.thingsboard.doctor import mqtt_exchange, web_exchange
from fleetrig.harness.platforms.thingsboard.doctor.document import IMPOSSIBLE_NAME, DeviceDocument
from fleetrig.harness.platforms.thingsboard.doctor.effects import Effect, effect
from fleetrig.harness.platforms.thingsboard.doctor.facts import Asked, Facts, Heard, Kind, Said, Strategy
from fleetrig.harness.platforms.thingsboard.doctor.mqtt_exchange import Login
from fleetrig.harness.platforms.thingsboard.doctor.tenant import TenantView
from fleetrig.harness.platforms.thingsboard.doctor.way import Over
from fleetrig.simulator.contract.identity import ClientCertificate
from fleetrig.simulator.transports.client_tls import ClientTls, DeviceTls, take_up

THROW_AWAY: Final = "fleetrig-doctor-"
MakeContext = Callable[[], ssl.SSLContext]


@dataclass(frozen=True, slots=True)
class DeviceView:
    """How the device does TLS. `verify`: whom it trusts, None for the system's authorities."""

    verify: ssl.SSLContext | None
    new_context: MakeContext
    certificate: ClientCertificate | None = None
    """Its chain in the order in which it is sent, and its key."""

    def tls(self, over: Over, *, leaf_alone: bool = False) -> ssl.SSLContext | DeviceTls | None:
        """What a client of this transport takes; None for plain ones."""
        if not over.is_secure:
            return None
        shown = self.certificate
        if shown is not None and leaf_alone:
            shown = replace(shown, chain=shown.chain[:1])
        if over is Over.COAPS:
            return ClientTls(self.new_context()).of(shown)
        context = self.new_context()
        if shown is not None:
            take_up(context, shown)
        return context


def ask(facts: Facts, device: DeviceView, view: TenantView | None, within_s: float, *, tries: bool) -> Facts:
    """`view`: to make and remove a device for a trial."""
    match facts.presented.kind:
        case Kind.REQUEST:
            return _request(facts, device, view, within_s)
        case Kind.CERTIFICATE:
            return _certificate(facts, device, within_s, tries=tries)
        case _:
            return replace(facts, heard=_login(facts, device, within_s))


# -- a provision request


def _request(facts: Facts, device: DeviceView, view: TenantView | None, within_s: float) -> Facts:
    document = facts.presented.document
    assert document is not None
    if document.why_not:
        return facts  # the server's parser may make a request of it
    if effect(facts) is Effect.NOTHING:
        return replace(facts, heard=_send(facts, document, device, within_s))
    probe = _send(facts, document.named(IMPOSSIBLE_NAME), device, within_s)
    facts = replace(facts, heard=replace(probe, asked=Asked.BY_AN_IMPOSSIBLE_NAME))
    if view is None or probe.said is not Said.FAILURE or facts.profile is None:
        return facts  # a device of another tenant's profile could not be removed again
    return _trial(facts, document, device, view, within_s)


def _send(facts: Facts, document: DeviceDocument, device: DeviceView, within_s: float) -> Heard:
    way = facts.way
    tls = device.tls(way.over)
    if way.over.plain == Over.MQTT:
        assert not isinstance(tls, DeviceTls)
        return mqtt_exchange.provision(way, document.payload, tls, within_s)
    return web_exchange.provision(way, document.payload, tls, within_s)


def _trial(facts: Facts, document: DeviceDocument, device: DeviceView, view: TenantView, within_s: float) -> Facts:
    """A device of the doctor's own, listed first where the profile wants that, provisioned, and removed."""
    name = f"{THROW_AWAY}{secrets.token_hex(6)}"
    profile = facts.profile
    if profile is not None and profile.strategy == Strategy.CHECK:
        view.call("POST", "/device", {"name": name, "type": profile.name})
    try:
        heard = _send(facts, document.named(name), device, within_s)
    finally:
        left = _removed(view, name)
    return replace(facts, heard=replace(heard, asked=Asked.THROW_AWAY), left_behind=left)


def _removed(view: TenantView, name: str) -> str:
    """The name, if it is still there."""
    record = view.device(name)
    if record is None:
        return ""
    return "" if view.call("DELETE", f"/device/{record.id}").status in (200, 404) else name


# -- credentials


def _login(facts: Facts, device: DeviceView, within_s: float) -> Heard | None:
    presented, way = facts.presented, facts.way
    tls = device.tls(way.over)
    if way.over.plain == Over.MQTT:
        assert not isinstance(tls, DeviceTls)
        return mqtt_exchange.log_in(way, login_of(facts), tls, within_s)
    if presented.kind is Kind.ACCESS_TOKEN:
        return web_exchange.read_attributes(way, presented.token, tls, within_s)
    return None  # there is no request that could carry them


def login_of(facts: Facts) -> Login:
    """The CONNECT of a device that has this."""
    presented = facts.presented
    match presented.kind:
        case Kind.ACCESS_TOKEN:
            return Login(presented.client_id, presented.token)
        case Kind.MQTT_BASIC:
            return Login(presented.client_id, presented.user_name, presented.password)
        case _:
            return Login(presented.client_id)


def _certificate(facts: Facts, device: DeviceView, within_s: float, *, tries: bool) -> Facts:
    """The whole chain where nothing comes of it or where that is wanted, else the leaf, which is only looked up."""
    over, chain = facts.way.over, facts.presented.chain
    if device.certificate is None or over not in (Over.MQTTS, Over.COAPS):
        return facts
    leaf_alone = over is Over.MQTTS and len(chain) > 1 and effect(facts) is not Effect.NOTHING and not tries
    if leaf_alone and chain[0].is_authority:
        return facts  # a profile may be backed by it, so that it would create a device by itself
    tls = device.tls(over, leaf_alone=leaf_alone)
    if isinstance(tls, DeviceTls):
        heard = web_exchange.read_attributes(facts.way, "", tls, within_s)
    else:
        heard = mqtt_exchange.log_in(facts.way, login_of(facts), tls, within_s)
    return replace(facts, heard=replace(heard, asked=Asked.LEAF_ALONE) if leaf_alone else heard)
