"""Is this a device registry that can be judged? Asked before any row.

Nothing is created here. What a row may find wrong is left to rows: this is about the way there and the account.
"""

from __future__ import annotations

from fleetrig.harness.conformance.answer_reading import document, media_type
from fleetrig.harness.platforms.hono.conformance.registry_api import RegistryApi
from fleetrig.harness.platforms.hono.conformance.under_test import LISTENERS, ServerUnderTest
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import UserPassword


def check_that_it_is_a_registry(under_test: ServerUnderTest) -> None:
    """Raises BrokenBench with the first cause."""
    url, tenant = under_test.http.url, f"{under_test.prefix}-nobody"
    answer = RegistryApi(under_test.http, under_test.account).api("GET", f"/tenants/{tenant}")
    told = document(answer)
    if 300 <= answer.status < 400:
        raise BrokenBench(f"{url} redirects to {answer.header('Location') or 'nowhere'}: give that address instead")
    if answer.status == 401:
        raise BrokenBench(_why_not_let_in(url, under_test.account))
    if answer.status >= 500:
        raise BrokenBench(
            f"{url} answered {answer.status} with {media_type(answer)}: is the registry running behind it?"
        )
    if answer.status != 404 or (under_test.profile != "1" and not isinstance(told.get("error"), str)):
        raise BrokenBench(
            f"{url} is no device registry: GET /v1/tenants/{tenant} answered {answer.status} with "
            f"{media_type(answer)}; give the address of its management API without /v1, not that of an adapter"
        )


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
