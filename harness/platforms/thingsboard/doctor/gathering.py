"""Looks at a ThingsBoard: first what leaves no trace, then as the device, in earnest only where nothing comes of it."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.doctor.contact import Contact
from fleetrig.harness.doctor.reach import LISTEN_S, reach
from fleetrig.harness.platforms.thingsboard.doctor.asking import DeviceView, ask
from fleetrig.harness.platforms.thingsboard.doctor.commands import TenantShell
from fleetrig.harness.platforms.thingsboard.doctor.effects import is_known, read_chain
from fleetrig.harness.platforms.thingsboard.doctor.facts import Facts, Kind, Presented, Said
from fleetrig.harness.platforms.thingsboard.doctor.tenant import NoAccount, TenantView, holds
from fleetrig.harness.platforms.thingsboard.doctor.way import Over, Way
from fleetrig.harness.servers.spoken_at import spoken_at
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import UserPassword

UNUSUAL: Final = (Said.CLOSED, Said.SILENCE, Said.NOT_UNDERSTOOD)


@dataclass(frozen=True, slots=True)
class DoctorRequest:
    """What the user wants to know. `account` is None when there is none to look with."""

    shell: TenantShell
    presented: Presented
    way: Way
    device: DeviceView
    account: UserPassword | None
    verify: ssl.SSLContext | None = None
    """Whom the REST API's certificate is checked by."""
    insecure: bool = False
    tries: bool = False
    within_s: float = 30.0
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


def gather(request: DoctorRequest) -> Facts:
    """Never raises for what a server does: that is a fact too."""
    facts = Facts(request.shell, request.presented, request.way, request.now())
    with closing(ExactClient(request.shell.url, request.verify, within_s=request.within_s)) as client:
        view, facts = _as_operator(facts, client, request)
        facts = replace(facts, contact=_contact(request))
        if facts.contact.trouble is not None:
            return _with_instead(facts, request)
        facts = ask(facts, request.device, view if request.tries else None, request.within_s, tries=request.tries)
        if facts.heard is not None and facts.heard.said in UNUSUAL and request.way.over.is_secure:
            facts = replace(facts, contact=_contact(request, LISTEN_S))  # did a proxy think better of it?
        return _with_instead(facts, request)


def _contact(request: DoctorRequest, listen_s: float = 0.0) -> Contact:
    """Over datagrams there is nothing to try beforehand."""
    if request.way.over.plain == Over.COAP:
        return Contact()
    return reach(request.way.web_url, request.device.verify, insecure=request.insecure, listen_s=listen_s)


def _with_instead(facts: Facts, request: DoctorRequest) -> Facts:
    """What speaks at the place where the device's protocol got no answer of its own."""
    odd = facts.contact.trouble is not None or (facts.heard is not None and facts.heard.said in UNUSUAL)
    if not odd or request.way.over.plain == Over.COAP:
        return facts
    spoken = spoken_at(request.way.host, request.way.port, request.within_s)
    expected = "TLS" if request.way.over.is_secure else request.way.over.plain.upper()
    return facts if spoken == expected else replace(facts, instead=spoken)


def _as_operator(facts: Facts, client: ExactClient, request: DoctorRequest) -> tuple[TenantView | None, Facts]:
    """Profiles, device and credentials, as far as the account's rights reach."""
    if request.account is None:
        return None, _with_gap(facts, "no account of the tenant was given (--user NAME --password env:NAME)")
    try:
        view = TenantView(client, request.account)
        facts = replace(facts, tenant=view.tenant())
        return view, _owner(_device(facts, view), view)
    except (NoAccount, BrokenBench) as error:
        return None, _with_gap(replace(facts, tenant=None), str(error))


def _device(facts: Facts, view: TenantView) -> Facts:
    """The device that is asked about: by the name that was given, or that the chain's profile reads."""
    assert facts.tenant is not None
    name = facts.name
    if facts.presented.kind is Kind.CERTIFICATE and (reading := read_chain(facts)) is not None:
        name = reading.name
    return replace(facts, tenant=replace(facts.tenant, device=view.device(name))) if name else facts


def _owner(facts: Facts, view: TenantView) -> Facts:
    """Who has what is presented, where the named device has it not."""
    tenant, presented = facts.tenant, facts.presented
    assert tenant is not None
    has_it = tenant.device is not None and holds(tenant.device, presented)
    if has_it or presented.kind is Kind.REQUEST or (presented.kind is Kind.CERTIFICATE and is_known(facts)):
        return facts
    owner, knows_all = view.owner(presented)
    own = "" if tenant.device is None else tenant.device.name
    found = replace(tenant, owner=owner if owner != own else "", knows_all=knows_all)
    if tenant.device is None and owner:
        found = replace(found, device=view.device(owner) if not facts.name else None)
    return replace(facts, tenant=found)


def _with_gap(facts: Facts, gap: str) -> Facts:
    return replace(facts, gaps=(*facts.gaps, gap))
