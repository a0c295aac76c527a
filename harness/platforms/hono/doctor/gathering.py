"""Collects the facts: files, registry, adapter. It asks as the device only where that makes nothing (or is wanted)."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from ssl import SSLContext
from typing import Final

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.doctor.contact import Contact
from fleetrig.harness.doctor.reach import LISTEN_S, reach
from fleetrig.harness.platforms.hono.doctor.asking import DeviceView, ask, place_of
from fleetrig.harness.platforms.hono.doctor.facts import DeviceRecord, Facts, Kind, Said, TenantRecord
from fleetrig.harness.platforms.hono.doctor.foretelling import Foretold, foretell, may_be_made
from fleetrig.harness.platforms.hono.doctor.login import login_tenant, parts_of
from fleetrig.harness.platforms.hono.doctor.registry_view import NoRegistry, RegistryView
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import UserPassword

ONE_FIRST_CONTACT: Final = (
    "asking as this device could provision one, or have applications told of one; --first-contact does it"
)

SHORT_S: Final = 0.2
"""Where no alert is to be expected; what is asked next hears it, too."""


@dataclass(frozen=True, slots=True)
class DoctorRequest:
    """`facts`: with all that options and files say. `registry`: its address, empty for files alone."""

    facts: Facts
    registry: str
    account: UserPassword | None
    verify: SSLContext | None
    view: DeviceView
    device_id: str = ""
    first_contact: bool = False
    insecure: bool = False
    within_s: float = 15.0


def gather(request: DoctorRequest) -> Facts:
    """Never raises for what a server does."""
    facts = request.facts
    if request.registry:
        with closing(ExactClient(request.registry, request.verify, within_s=request.within_s)) as client:
            view = RegistryView(client, request.account)
            try:
                facts = _looked_at(facts, request, view)
            except (NoRegistry, BrokenBench) as error:
                facts = _with_gap(facts, f"the registry: {error}")
            before = foretell(facts)
            facts = _asked(facts, request, before)
            return _afterwards(facts, view, before)
    return _asked(facts, request, foretell(facts))


# -- the registry


def _looked_at(facts: Facts, request: DoctorRequest, view: RegistryView) -> Facts:
    view.greet()
    found, is_all = view.tenants()
    named = _named(facts)
    if not is_all and named and not any(named in (one.id, one.alias) for one in found):
        one = view.tenant(named)
        found = (*found, *([one] if one is not None else []))
    if not is_all:
        facts = _with_gap(facts, "the registry lists no tenants (before 1.6), or more than are read: give --tenant ID")
    facts = replace(facts, tenants=found, knows_all_tenants=is_all)
    tenant = _tenant(facts)
    if tenant is None:
        return facts
    return _with_devices(facts, request, view, tenant)


def _named(facts: Facts) -> str:
    if facts.tenant_named:
        return facts.tenant_named
    if facts.presented.kind is not Kind.CERTIFICATE:
        return parts_of(facts.presented.login)[1]
    label, dot, _ = facts.server_name.partition(".")
    return label if dot else ""


def _tenant(facts: Facts) -> TenantRecord | None:
    return foretell(facts).tenant if facts.presented.kind is Kind.CERTIFICATE else login_tenant(facts)


def _with_devices(facts: Facts, request: DoctorRequest, view: RegistryView, tenant: TenantRecord) -> Facts:
    if request.device_id:
        wanted = dict.fromkeys(filter(None, (request.device_id, facts.presented.acts_for)))
        records = tuple(one for each in wanted if (one := view.device(tenant.id, each)) is not None)
        return replace(facts, devices=records, knows_all_devices=False)
    kind, auth_id = facts.presented.kind, _auth_id(facts)

    def is_sought(device: DeviceRecord) -> bool:
        return device.entry(kind, auth_id) is not None

    devices, is_all = view.devices(tenant.id, is_sought)
    if not is_all:
        facts = _with_gap(facts, "the tenant has more devices than are read one by one: give --device-id ID")
    return replace(facts, devices=devices, knows_all_devices=is_all)


def _auth_id(facts: Facts) -> str:
    return foretell(facts).auth_id


# -- the adapter


def _asked(facts: Facts, request: DoctorRequest, foretold: Foretold) -> Facts:
    if not facts.url:
        return facts
    facts = replace(facts, contact=_contact(facts, request))
    if facts.contact.trouble is not None:
        return facts
    presented = facts.presented
    if presented.kind is Kind.CERTIFICATE and not presented.has_key:
        return _with_gap(facts, "the adapter was not asked: that needs the device's key (--key F)")
    if presented.kind is not Kind.CERTIFICATE and not presented.secret:
        return _with_gap(facts, "the adapter was not asked: that needs --secret env:NAME")
    if facts.server_name and facts.server_name != place_of(facts.url)[0]:
        return _with_gap(facts, "the adapter was not asked: --over has another host than --server-name")
    if may_be_made(facts, foretold) and not request.first_contact:
        return _with_gap(facts, f"the adapter was not asked: {ONE_FIRST_CONTACT}")
    return replace(facts, heard=ask(facts, request.view, request.within_s))


def _contact(facts: Facts, request: DoctorRequest) -> Contact:
    """The TLS handshake alone provisions nobody over HTTP and MQTT; over CoAP it is the whole sign-in."""
    if facts.over == "coaps":
        return Contact()
    host, port = place_of(facts.url)
    scheme = "https" if facts.over in ("https", "mqtts") else "http"
    name = f"[{host}]" if ":" in host else host
    return reach(
        f"{scheme}://{name}:{port}", request.view.context, insecure=request.insecure, listen_s=_listen_s(facts)
    )


def _listen_s(facts: Facts) -> float:
    """For an alert after the handshake, which is about the certificate's dates alone."""
    if facts.presented.kind is not Kind.CERTIFICATE:
        return 0.0
    leaf = facts.presented.leaf
    is_in_date = leaf.not_valid_before_utc <= facts.now <= leaf.not_valid_after_utc
    return SHORT_S if is_in_date else LISTEN_S


def _afterwards(facts: Facts, view: RegistryView, before: Foretold) -> Facts:
    """Which device was made by asking."""
    heard, tenant = facts.heard, before.tenant
    if heard is None or heard.said is not Said.LET_IN or before.is_known or tenant is None:
        return facts
    kind, known = facts.presented.kind, {one.id for one in facts.devices or ()}
    auth_ids = (before.auth_id, before.auth_id.replace("\\", ""))  # Java loses them (spec 0.2)

    def is_made(device: DeviceRecord) -> bool:
        return device.id not in known and any(device.entry(kind, one) is not None for one in auth_ids)

    try:
        devices, _ = view.devices(tenant.id, is_made)
    except (NoRegistry, BrokenBench):
        return facts
    return replace(facts, made=next((one.id for one in devices if is_made(one)), ""))


def _with_gap(facts: Facts, gap: str) -> Facts:
    return replace(facts, gaps=(*facts.gaps, gap))
