"""Is this a device registry that can be judged? Asked before any row.

Nothing is created here. What a row may find wrong is left to rows: this is about the way there and the account.
"""

from __future__ import annotations

from fleetrig.harness.conformance.answer_reading import came, document
from fleetrig.harness.platforms.hono.admin import SOUGHT
from fleetrig.harness.platforms.hono.conformance.registry_api import RegistryApi
from fleetrig.harness.platforms.hono.conformance.under_test import LISTENERS, ServerUnderTest
from fleetrig.harness.servers.first_answer import other_server
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import UserPassword


def check_that_it_is_a_registry(under_test: ServerUnderTest) -> None:
    """Raises BrokenBench with the first cause."""
    url, tenant = under_test.http.url, f"{under_test.prefix}-nobody"
    answer = RegistryApi(under_test.http, under_test.account).api("GET", f"/tenants/{tenant}")
    told = document(answer)
    if answer.status == 401:
        raise BrokenBench(_why_not_let_in(url, under_test.account))
    if answer.status != 404 or (under_test.profile != "1" and not isinstance(told.get("error"), str)):
        raise BrokenBench(other_server(SOUGHT, url, came(f"GET /v1/tenants/{tenant}", answer, under_test.account)))


def _why_not_let_in(url: str, account: UserPassword | None) -> str:
    if account is None:
        return f"{url} wants to know who asks: name user and password in a SERVER.yaml"
    return f"{url} does not accept the account {account.user!r}: check user and password"


def remarks_on(under_test: ServerUnderTest) -> list[str]:
    """Which adapters are judged beside the registry."""
    known = [f"{name} {host}:{port}" for name, (host, port) in under_test.addresses.items()]
    if known:
        return [f"adapters: {', '.join(known)}"]
    options = ", ".join(f"--{name}" for name in LISTENERS)
    return [f"no adapter is known, so rows on devices are skipped: give {options}"]
