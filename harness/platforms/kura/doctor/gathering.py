"""Collects the facts: files, server, broker. It connects as the gateway only where that is wanted and harms nobody."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from ssl import SSLContext
from typing import Final

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.doctor.contact import Contact
from fleetrig.harness.doctor.reach import reach
from fleetrig.harness.platforms.kura.doctor.asking import WITHIN_S, ask, place_of, why_not
from fleetrig.harness.platforms.kura.doctor.facts import Facts
from fleetrig.harness.platforms.kura.doctor.rest_view import NoServer, RestView
from fleetrig.harness.platforms.kura.doctor.server_looks import look
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import UserPassword

NO_ACCOUNT: Final = "the server: to look at it needs --user NAME --password env:NAME"


@dataclass(frozen=True, slots=True)
class DoctorRequest:
    """`facts`: with all that options and files say. `url`: of the REST interface, empty for files alone."""

    facts: Facts
    url: str = ""
    account: UserPassword | None = None
    verify: SSLContext | None = None
    reaches: bool = False
    """The broker's port is tried, and its TLS: that leaves no mark."""
    connects: bool = False
    insecure: bool = False
    within_s: float = WITHIN_S


def gather(request: DoctorRequest) -> Facts:
    """Never raises for what a server does."""
    facts = request.facts
    if request.url:
        facts = _looked_at(facts, request)
    return _asked(facts, request)


def _looked_at(facts: Facts, request: DoctorRequest) -> Facts:
    if request.account is None:
        return _with_gap(facts, NO_ACCOUNT)
    with closing(ExactClient(request.url, request.verify, within_s=request.within_s)) as client:
        try:
            return look(facts, RestView(client, request.account))
        except (NoServer, BrokenBench) as error:
            return _with_gap(facts, f"the server: {error}")


def _asked(facts: Facts, request: DoctorRequest) -> Facts:
    scheme = facts.gateway.broker_url.partition("://")[0].lower()
    if scheme not in ("mqtt", "mqtts") or facts.message is not None:
        return facts
    host, port = place_of(facts.gateway.broker_url)
    if not host or not port:
        return facts
    if request.reaches or request.connects:
        facts = replace(facts, contact=_contact(scheme, host, port, request))
    if facts.contact.trouble is not None:
        return facts
    if why := why_not(facts, is_wanted=request.connects):
        return _with_gap(facts, why)
    return replace(facts, heard=ask(facts, request.verify, request.within_s))


def _contact(scheme: str, host: str, port: int, request: DoctorRequest) -> Contact:
    name = f"[{host}]" if ":" in host else host
    web = "https" if scheme == "mqtts" else "http"
    return reach(f"{web}://{name}:{port}", request.verify, insecure=request.insecure, listen_s=0.0)


def _with_gap(facts: Facts, gap: str) -> Facts:
    return replace(facts, gaps=(*facts.gaps, gap))
