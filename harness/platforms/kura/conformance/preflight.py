"""Is this a Kapua, or an Everyware Cloud, that can be judged? Asked before any row.

Nothing is created here. What a row may find wrong is left to rows: this is about the way there and the account.
"""

from __future__ import annotations

from typing import Final

from fleetrig.harness.conformance.answer_reading import came, document
from fleetrig.harness.platforms.kura.admin import SOUGHT
from fleetrig.harness.platforms.kura.conformance.kapua_api import REQUESTS, SIGN_IN, KapuaApi
from fleetrig.harness.platforms.kura.conformance.under_test import LISTENERS, ServerUnderTest
from fleetrig.harness.servers.first_answer import other_server
from fleetrig.simulator.contract.errors import BrokenBench

NOT_THERE: Final = (404, 405, 501)
CHECK_IT: Final = (
    "check user and password; three wrong ones in a row lock a user for hours, and then the right one is refused too"
)


def check_that_it_is_kapua(under_test: ServerUnderTest) -> None:
    """Raises BrokenBench with the first cause. Notes whether there are provision requests."""
    api = KapuaApi(under_test.http, under_test.sign_in)
    _sign_in(api)
    scope_id = api.sign_in.scope_id
    accounts = api.call("GET", f"/v1/{scope_id}/accounts?limit=1")
    if accounts.status == 403:
        raise BrokenBench(
            f"{api.sign_in.account.user!r} may not see the accounts below its own: rows make accounts, so name an "
            "administrator in a SERVER.yaml"
        )
    if accounts.status != 200 or "items" not in document(accounts):
        asked = f"GET /v1/{scope_id}/accounts"
        raise BrokenBench(other_server(SOUGHT, api.http.url, came(asked, accounts, api.sign_in.account)))
    under_test.has_provisioning = _has_provisioning(api)


def _sign_in(api: KapuaApi) -> None:
    url, account = api.http.url, api.sign_in.account
    answer = api.say_sign_in(account.user, account.password)
    told = document(answer)
    if answer.status in (401, 403):
        raise BrokenBench(f"{url} does not accept the account {account.user!r}: {CHECK_IT}")
    if answer.status != 200 or not isinstance(told.get("tokenId"), str) or not isinstance(told.get("scopeId"), str):
        raise BrokenBench(other_server(SOUGHT, url, came(f"POST {SIGN_IN}", answer, account)))
    api.sign_in.token, api.sign_in.scope_id = told["tokenId"], told["scopeId"]


def _has_provisioning(api: KapuaApi) -> bool:
    answer = api.call("GET", f"{REQUESTS}?limit=1")
    return answer.status not in NOT_THERE and "provisionRequest" in document(answer)


def remarks_on(under_test: ServerUnderTest) -> list[str]:
    """Where gateways connect, and what is not there."""
    known = [f"{name} {host}:{port}" for name, (host, port) in under_test.addresses.items()]
    options = ", ".join(f"--{name}" for name in LISTENERS)
    broker = f"broker: {', '.join(known)}" if known else f"no broker is known, so most rows are skipped: give {options}"
    if under_test.has_provisioning:
        return [broker]
    return [broker, f"{under_test.http.url} has no {REQUESTS}: rows on provisioning are skipped"]
