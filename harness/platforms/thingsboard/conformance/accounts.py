"""Accounts and tenants that rows make for themselves (docs/contracts/thingsboard.md §4)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from fleetrig.harness.conformance.expect import expect
from fleetrig.harness.platforms.thingsboard.conformance.operator_api import ANY, JSON, Login, OperatorApi, id_of
from fleetrig.simulator.contract.identity import UserPassword

DOMAIN: Final = "fleetrig.example"
"""No mail is ever sent there."""


def email(name: str) -> str:
    return f"{name}@{DOMAIN}"


def activated(above: OperatorApi, user: Mapping[str, Any]) -> Login:
    """A new user, brought to life by its activation link. It goes with the customer or tenant that it belongs to."""
    made = above.asked("POST", "/user?sendActivationMail=false", dict(user))
    link = above.api("GET", f"/user/{id_of(made)}/activationLink", accept=ANY)
    expect(f"status of {link.request}", 200, link.status)
    token = parse_qs(urlsplit(link.text).query)["activateToken"][0]
    account = UserPassword(str(user["email"]), secrets.token_hex(10))
    body = json.dumps({"activateToken": token, "password": account.password}).encode()
    answer = above.http.call("POST", "/api/noauth/activate?sendActivationMail=false", JSON, body)
    expect(f"status of {answer.request}", 200, answer.status)
    return Login(account)


def tenant_profile_document(above: OperatorApi, name: str, limits: Mapping[str, Any]) -> dict[str, Any]:
    """A tenant profile as it is saved: the default one with other `limits`, such as `maxDevices`.

    A real server refuses one that leaves some of the default's numbers out.
    """
    default = above.asked("GET", "/tenantProfileInfo/default")
    data = above.asked("GET", f"/tenantProfile/{id_of(default)}")["profileData"]
    configuration = {**data["configuration"], **limits}
    return {"name": name, "profileData": {**data, "configuration": configuration}}
