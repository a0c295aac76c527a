"""Removing an account with everything that is in it: a real Kapua keeps an account that is not empty."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.platforms.kura.conformance.kapua_api import MOST_PAGES, REQUESTS, KapuaApi

CONTENTS: Final = ("accessinfos", "devices", "users")
"""What rows and gateways leave in an account, in an order in which it can be removed."""


def remove_account(api: KapuaApi, name: str) -> None:
    """The child account of that name, if there is one, with its provision requests, devices and users.

    By name, so that one is found whose making was interrupted. Raises Mismatch when the server refuses.
    """
    children = f"/v1/{api.scope_id}/accounts"
    for account in [one for one in api.items(f"{children}?name={name}&") if one["name"] == name]:
        scope_id = account["id"]
        _remove_requests(api, scope_id)
        for kind in CONTENTS:
            for one in list(api.items(f"/v1/{scope_id}/{kind}?")):
                api.remove(f"/v1/{scope_id}/{kind}/{one['id']}")
        api.remove(f"{children}/{scope_id}")


def _remove_requests(api: KapuaApi, scope_id: str) -> None:
    """A server without provision requests has none to remove."""
    for _ in range(MOST_PAGES):
        answer = api.call("GET", f"{REQUESTS}?accountId={scope_id}&limit=50")
        found = answer.json()["provisionRequest"] if answer.status == 200 else []
        for one in found:
            api.remove(f"{REQUESTS}/{one['id']}?accountId={scope_id}")
        if not found:
            return
