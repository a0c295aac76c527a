"""What is looked at on the server for one gateway, in the order in which one thing leads to the next."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fleetrig.harness.platforms.kura.doctor.account_causes import LIMITS, NOT_KNOWN
from fleetrig.harness.platforms.kura.doctor.facts import Facts, Purpose
from fleetrig.harness.platforms.kura.doctor.records import (
    PASSWORD,
    AccountRecord,
    ConnectionRecord,
    CredentialRecord,
    DeviceRecord,
    Document,
    RequestRecord,
    ServerView,
    UserRecord,
)
from fleetrig.harness.platforms.kura.doctor.rest_view import MOST_ACCOUNTS, REQUESTS, RestView, properties_of
from fleetrig.simulator.certificates.pem import certificates_in

CONNECTIONS: Final = "org.eclipse.kapua.service.device.registry.connection.DeviceConnectionService"
WELL_KNOWN: Final = {"AQ": "kapua-sys"}
"""The root account of every Kapua, by its scope id."""
COUPLING: Final = "deviceConnectionUserCouplingDefaultMode"
SIGNS: Final = "DEVICE_MANAGEMENT"
"""The usage of certificates that sign control messages (spec 3.5)."""
NO_REQUESTS: Final = (
    "the server has no provision requests (/v2/provisionRequests), or the account may not see them: a Kapua that is no "
    "Everyware Cloud has none"
)


def look(facts: Facts, view: RestView) -> Facts:
    """Raises NoServer and BrokenBench."""
    view.greet()
    try:
        accounts, is_all = _accounts(view)
        server = ServerView(accounts=accounts, knows_all_accounts=is_all)
        facts = replace(facts, server=server, is_offline=False)
        if facts.purpose is Purpose.PROVISIONING:
            facts = _with_signer(_with_requests(facts, view), view)
        account = next((one for one in accounts if one.name == _called_account(facts)), None)
        return facts if account is None else _with_account(facts, view, account)
    finally:
        view.leave()


def _called_account(facts: Facts) -> str:
    usual = facts.provisioning_account if facts.purpose is Purpose.PROVISIONING else ""
    return facts.gateway.account or usual


def _accounts(view: RestView) -> tuple[tuple[AccountRecord, ...], bool]:
    """The operator's own, which not every server shows to itself, and those below it."""
    own = view.one(f"/v1/{view.scope_id}/accounts/{view.scope_id}") or {}
    found = [AccountRecord(view.scope_id, str(own.get("name") or WELL_KNOWN.get(view.scope_id) or ""))]
    children = view.listed(f"/v1/{view.scope_id}/accounts")
    listed, is_all = children if children is not None else ([], False)
    found += [AccountRecord(str(one.get("id") or ""), str(one.get("name") or "")) for one in listed]
    return tuple(one for one in dict.fromkeys(found) if one.name), is_all and bool(found[0].name)


# -- provision requests


def _with_requests(facts: Facts, view: RestView) -> Facts:
    """Of all accounts: a request belongs to the account to which the gateway is to come."""
    users = _users(facts, view)
    found: list[RequestRecord] = []
    accounts = facts.server.accounts
    is_seen, is_all = False, facts.server.knows_all_accounts and len(accounts) <= MOST_ACCOUNTS
    for account in accounts[:MOST_ACCOUNTS]:
        listed = view.listed(REQUESTS, {"accountId": account.scope_id})
        is_seen = is_seen or listed is not None
        documents, is_whole = listed or ([], False)
        is_all = is_all and is_whole
        found += [RequestRecord(one, users.get(str(one.get("provisionUserId")), "")) for one in documents]
    if not is_seen:
        return replace(facts, gaps=(*facts.gaps, NO_REQUESTS))
    newest = sorted(found, key=lambda one: one.created_on, reverse=True)
    return replace(facts, server=replace(facts.server, requests=tuple(newest), knows_all_requests=is_all))


def _with_signer(facts: Facts, view: RestView) -> Facts:
    """Who will sign what the gateway is told in its new account; only asked where that is compared with something."""
    request, material = facts.request, facts.material
    if request is None or material.keystore is None or material.signer is not None:
        return facts
    listed = view.listed(f"/v1/{request.text('accountId')}/certificateInfos", {"inherited": "true", "usageName": SIGNS})
    for one in [] if listed is None else listed[0]:
        if one.get("status") in (None, "VALID") and SIGNS in [each.get("name") for each in _usages(one)]:
            try:
                return replace(
                    facts, material=replace(material, signer=certificates_in(str(one.get("certificate")).encode())[0])
                )
            except ValueError:
                continue
    return facts


def _usages(certificate: Document) -> list[Document]:
    """What a certificate is for."""
    found = certificate.get("certificateUsages")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _users(facts: Facts, view: RestView) -> dict[str, str]:
    """Id -> name, of the provisioning account."""
    account = next((one for one in facts.server.accounts if one.name == facts.provisioning_account), None)
    listed = None if account is None else view.listed(f"/v1/{account.scope_id}/users")
    return {} if listed is None else {str(one.get("id")): str(one.get("name")) for one in listed[0]}


# -- the account that is called


def _with_account(facts: Facts, view: RestView, account: AccountRecord) -> Facts:
    place = f"/v1/{account.scope_id}"
    listed = view.listed(f"{place}/users")
    documents, is_all = listed if listed is not None else ([], False)
    names = {str(one.get("id")): str(one.get("name")) for one in documents}
    own = next((one for one in documents if one.get("name") == facts.gateway.login), None)
    connections = _connections(view, place, names)
    server = replace(
        facts.server,
        account=account,
        users=tuple(names.values()) if is_all else None,
        user=None if own is None else _user(view, place, own),
        connections=connections,
        connection=_with_options(view, place, facts.gateway.client_id, connections),
    )
    facts = replace(facts, server=server)
    return _with_device(facts, view, account) if facts.purpose is Purpose.CONNECTION else facts


def _user(view: RestView, place: str, document: Document) -> UserRecord:
    user_id = str(document.get("id"))
    listed = view.listed(f"{place}/credentials", {"userId": user_id})
    credentials = None if listed is None else tuple(
        CredentialRecord(one) for one in listed[0]
        if one.get("credentialType") in (None, PASSWORD) and one.get("userId") in (None, user_id)
    )  # fmt: skip
    return UserRecord(document, credentials, _may_connect(view, place, user_id))


def _may_connect(view: RestView, place: str, user_id: str) -> bool | None:
    """By the user's own permissions; with roles it cannot be told from here."""
    listed = view.listed(f"{place}/accessinfos", {"userId": user_id})
    if listed is None:
        return None
    own = [one for one in listed[0] if one.get("userId") in (None, user_id)]
    for info in own:
        inner = f"{place}/accessinfos/{info.get('id')}"
        permissions, roles = view.listed(f"{inner}/permissions"), view.listed(f"{inner}/roles")
        if permissions is None:
            return None
        if any(_connects(one) for one in permissions[0]):
            return True
        if roles is None or roles[0]:
            return None
    return False


def _connects(document: Document) -> bool:
    inner = document.get("permission")
    found = inner if isinstance(inner, dict) else document
    return found.get("domain") in (None, "broker") and found.get("action") in (None, "connect")


def _connections(view: RestView, place: str, names: dict[str, str]) -> tuple[ConnectionRecord, ...] | None:
    listed = view.listed(f"{place}/deviceconnections")
    return None if listed is None else tuple(ConnectionRecord(one, names) for one in listed[0])


def _with_options(
    view: RestView, place: str, client_id: str, connections: tuple[ConnectionRecord, ...] | None
) -> ConnectionRecord | None:
    own = next((one for one in connections or () if one.client_id == client_id), None)
    if own is None:
        return None
    options = view.one(f"{place}/deviceconnections/{own.id}/options") or {}
    return replace(own, document={**own.document, **options, "id": own.id})


def _with_device(facts: Facts, view: RestView, account: AccountRecord) -> Facts:
    place = f"/v1/{account.scope_id}"
    listed = view.listed(f"{place}/devices")
    limits = properties_of(view.one(f"{place}/serviceConfigurations/{LIMITS}"))
    modes = properties_of(view.one(f"{place}/serviceConfigurations/{CONNECTIONS}"))
    mode = (modes or limits).get(COUPLING) or limits.get(COUPLING)
    most = NOT_KNOWN
    if limits.get("infiniteChildEntities", "").lower() == "true":
        account = replace(account, devices_at_most=None)
    elif limits.get("maxNumberChildEntities", "").isdigit():
        most = int(limits["maxNumberChildEntities"])
        account = replace(account, devices_at_most=most)
    account = replace(account, is_strict=None if mode is None else mode == "STRICT")
    if listed is None:
        return replace(facts, server=replace(facts.server, account=account))
    devices, is_all = listed
    own = next((one for one in devices if one.get("clientId") == facts.gateway.client_id), None)
    server = replace(
        facts.server,
        account=replace(account, devices=len(devices)),
        device=None if own is None else DeviceRecord(own),
        knows_device=own is not None or is_all,
    )
    return replace(facts, server=server)
