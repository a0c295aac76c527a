"""Looks at a hawkBit server: first what leaves no trace, then, where that is harmless or wanted, as the device."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

from fleetrig.harness.conformance.exact_client import Answer, ExactClient
from fleetrig.harness.doctor.contact import Contact, Trouble
from fleetrig.harness.doctor.diagnosis import Shell
from fleetrig.harness.doctor.reach import reach, speaks_tls, trouble_of
from fleetrig.harness.platforms.hawkbit.conformance.api_client import basic
from fleetrig.harness.platforms.hawkbit.doctor.confirmation import waiting_in
from fleetrig.harness.platforms.hawkbit.doctor.facts import (
    MODES,
    Account,
    Facts,
    Kind,
    Presented,
    TargetRecord,
    config_from,
    target_from,
)
from fleetrig.harness.platforms.hawkbit.doctor.sending import HARMLESS, credential_headers
from fleetrig.harness.platforms.hawkbit.doctor.surroundings import is_admission, is_hawkbit, is_no_api
from fleetrig.harness.servers.json_answer import NotJson, read_json
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import UserPassword

MAX_OTHERS: Final = 500
MAX_ACTIONS: Final = 50
PIECE: Final = 4
"""Characters of an id by which similar ones are searched where there are too many targets to look at all."""
USERINFO: Final = "/rest/v1/userinfo"
USUAL_PREFIX: Final = "/hawkbit"


@dataclass(frozen=True, slots=True)
class DoctorRequest:
    """What the user wants to know. `account` is None when there is none to look with."""

    shell: Shell
    tenant: str
    controller_id: str
    presented: Presented
    account: UserPassword | None
    verify: ssl.SSLContext | None = None
    insecure: bool = False
    may_register: bool = False
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


def gather(request: DoctorRequest) -> Facts:
    """Never raises for what a server does: that is a fact too."""
    facts = Facts(request.shell, request.tenant, request.controller_id, request.presented, request.now())
    contact = reach(request.shell.url, request.verify, insecure=request.insecure)
    facts = replace(facts, contact=contact)
    if contact.trouble is not None:
        return facts
    client = ExactClient(request.shell.url, request.verify)
    try:
        facts = _as_operator(facts, client, request)
        facts = _as_device(facts, client, request)
        return replace(facts, better_url=_better_url(request)) if is_no_api(facts) else facts
    except BrokenBench as error:
        return replace(facts, contact=_no_answer(contact, request, error))
    finally:
        client.close()


def _no_answer(contact: Contact, request: DoctorRequest, error: BrokenBench) -> Contact:
    """The connection was there, but no answer came on it."""
    cause = error.__context__
    trouble = trouble_of(cause)
    if trouble is Trouble.NO_HTTP and request.shell.url.startswith("http:") and speaks_tls(request.shell.url):
        trouble = Trouble.IS_TLS
    return replace(contact, trouble=trouble, detail=str(getattr(cause, "reason", "") or type(cause).__name__))


# -- as the operator


def _as_operator(facts: Facts, client: ExactClient, request: DoctorRequest) -> Facts:
    """Account, tenant configuration and target, as far as the account's rights reach."""
    headers = {"Accept": "application/json"}
    if request.account is not None:
        headers["Authorization"] = basic(request.account)
    userinfo = client.call("GET", USERINFO, headers)
    facts = replace(facts, userinfo=userinfo, skew_s=_skew_s(userinfo, request.now()))
    if request.account is None:
        return _with_gap(facts, "no account of the Management API was given (--user NAME --password env:NAME)")
    if userinfo.status == 401:
        return _with_gap(
            facts, f"the server does not accept the account {request.account.user!r}: check user and password"
        )
    said = _json(userinfo)
    if userinfo.status != 200 or not isinstance(said, dict) or "tenant" not in said:
        return _with_gap(facts, f"no Management API here: {USERINFO} answers {userinfo.status}")
    facts = replace(facts, account=Account(str(said.get("username", request.account.user)), str(said["tenant"])))
    for look in (_config, _target, _actions, _others):
        facts = look(facts, client, headers)
    return facts


def _config(facts: Facts, client: ExactClient, headers: Mapping[str, str]) -> Facts:
    answer = client.call("GET", "/rest/v1/system/configs", headers)
    values = _json(answer)
    if answer.status != 200 or not isinstance(values, dict):
        return _with_gap(facts, f"the tenant's configuration ({answer.status}): the account lacks TENANT_CONFIGURATION")
    facts = replace(facts, config=config_from(values))
    if facts.config is not None and all(facts.config.is_on(kind) is None for kind in MODES):
        # An account without that right sees only the few settings that are for everybody (since 1.0).
        return _with_gap(replace(facts, config=None), "the tenant's ways in: the account lacks TENANT_CONFIGURATION")
    if facts.config is not None and facts.config.gateway_key is None and facts.presented.kind is Kind.GATEWAY_TOKEN:
        facts = _with_gap(facts, "the gateway key: the account lacks READ_GATEWAY_SECURITY_TOKEN")
    return facts


def _target(facts: Facts, client: ExactClient, headers: Mapping[str, str]) -> Facts:
    answer = client.call("GET", f"/rest/v1/targets/{quote(facts.controller_id, safe='')}", headers)
    record = _json(answer)
    if answer.status == 200 and isinstance(record, dict):
        facts = replace(facts, exists=True, target=target_from(record))
        if facts.target is not None and facts.target.token is None and facts.presented.kind is Kind.TARGET_TOKEN:
            facts = _with_gap(facts, "the target's token: the account lacks READ_TARGET_SECURITY_TOKEN")
        return facts
    if answer.status in (404, 400):
        # 400: the URL firewall refuses the id, so no such target can be.
        return replace(facts, exists=False)
    return _with_gap(facts, f"the target ({answer.status}): the account lacks READ_TARGET")


def _actions(facts: Facts, client: ExactClient, headers: Mapping[str, str]) -> Facts:
    """Whether an update waits for a word of the device; only a target with work to do can have one."""
    if facts.target is None or facts.target.update_status != "pending":
        return facts
    path = f"/rest/v1/targets/{quote(facts.controller_id, safe='')}/actions?limit={MAX_ACTIONS}&sort=id:DESC"
    return replace(facts, waits=waiting_in(_json(client.call("GET", path, headers))))


def _others(facts: Facts, client: ExactClient, headers: Mapping[str, str]) -> Facts:
    """All targets where they fit into one page, else those whose ids begin or end alike.

    For a device whose own token is right just the first page: is there another one with the same token?"""
    own = facts.target.token if facts.target is not None else None
    if facts.exists is None or (facts.exists and (facts.presented.kind is not Kind.TARGET_TOKEN or own is None)):
        return facts
    found, total = _page(client, headers, "")
    if total > len(found) and own != facts.presented.secret:
        wanted = "".join(facts.controller_id.split())
        for pattern in (f"{_searched(wanted[:PIECE])}*", f"*{_searched(wanted[-PIECE:])}"):
            found += _page(client, headers, f'&q=controllerId=="{pattern}"')[0]
    return replace(facts, others=tuple(dict.fromkeys(found)))


def _page(client: ExactClient, headers: Mapping[str, str], more: str) -> tuple[list[TargetRecord], int]:
    answer = client.call("GET", f"/rest/v1/targets?limit={MAX_OTHERS}{quote(more, safe='&=')}", headers)
    page = _json(answer)
    if answer.status != 200 or not isinstance(page, dict):
        return [], 0
    content, total = page.get("content"), page.get("total")
    records = content if isinstance(content, list) else ()
    found = [target_from(record) for record in records if isinstance(record, dict)]
    return found, total if isinstance(total, int) else len(found)


def _searched(piece: str) -> str:
    """Only what means nothing else in RSQL; `*` stands for the rest."""
    return "".join(char if char.isalnum() else "*" for char in piece)


# -- as the device


def _as_device(facts: Facts, client: ExactClient, request: DoctorRequest) -> Facts:
    """With the credential: a poll where that registers nobody or is wanted, else a request that registers nobody."""
    path = f"/{quote(facts.tenant, safe='')}/controller/v1/{quote(facts.controller_id, safe='')}"
    accept = {"Accept": "application/hal+json, application/json"}
    credential = credential_headers(facts.presented, facts.config)
    if credential is None:
        return replace(facts, knock=client.call("GET", path, accept))
    headers = {**accept, **credential}
    if _is_harmless(facts) or request.may_register:
        return replace(facts, answer=client.call("GET", path, headers))
    trial = client.call("GET", path + HARMLESS, headers)
    if trial.status == 401 or is_admission(trial):
        return _with_existence(replace(facts, trial=trial), trial)
    if facts.presented.has_key:
        return facts  # the connection itself would be the credential
    return replace(facts, knock=client.call("GET", path, accept))


def _with_existence(facts: Facts, trial: Answer) -> Facts:
    """Whether there is such a target is told to whoever is let in: it is the target that lacks, or only the action."""
    said = _json(trial)
    lacking = said.get("info", {}).get("type") if isinstance(said, dict) and isinstance(said.get("info"), dict) else ""
    if facts.exists is not None or lacking not in ("Target", "Action"):
        return facts
    return replace(facts, exists=lacking == "Action")


def _is_harmless(facts: Facts) -> bool:
    """A target token never creates a target, and a known target is not created again (§3.2)."""
    if facts.presented.kind in (Kind.NOTHING, Kind.TARGET_TOKEN):
        return True
    return facts.same_tenant and facts.exists is True


# -- the rest


def _better_url(request: DoctorRequest) -> str:
    """Where hawkBit really is: above the path that was given (the shortest first, since whatever lies below /rest asks
    for a password), or below the prefix that many proxies use."""
    parts = urlsplit(request.shell.url)
    origin = f"{parts.scheme}://{parts.netloc}"
    pieces = parts.path.strip("/").split("/")
    above = ["/".join(["", *pieces[:count]]) for count in range(len(pieces))]
    for prefix in dict.fromkeys([*above, USUAL_PREFIX]):
        if origin + prefix == request.shell.url:
            continue
        client = ExactClient(origin + prefix, request.verify)
        try:
            if is_hawkbit(client.call("GET", USERINFO, {"Accept": "application/json"})):
                return origin + prefix
        except BrokenBench:
            return ""
        finally:
            client.close()
    return ""


def _skew_s(answer: Answer, now: datetime) -> float | None:
    """From the Date header, which has whole seconds."""
    try:
        said = parsedate_to_datetime(answer.header("Date") or "")
    except ValueError:
        return None
    return (said.replace(tzinfo=said.tzinfo or UTC) - now.replace(microsecond=0)).total_seconds()


def _json(answer: Answer) -> Any:
    try:
        return read_json(answer.body)
    except NotJson:
        return None


def _with_gap(facts: Facts, gap: str) -> Facts:
    return replace(facts, gaps=(*facts.gaps, gap))
