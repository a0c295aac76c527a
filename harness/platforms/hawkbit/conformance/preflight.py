"""Is this a hawkBit that can be judged? Asked before any row, so that nobody reads the cause off a hundred failures.

Nothing is created here. What a row may find wrong is left to rows: this is about the way to the server, the account and
what stands in between.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fleetrig.harness.conformance.answer_reading import came, document, media_type
from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.platforms.hawkbit.admin import SOUGHT
from fleetrig.harness.platforms.hawkbit.conformance.api_client import basic, patiently
from fleetrig.harness.platforms.hawkbit.conformance.under_test import TenantUnderTest
from fleetrig.harness.servers.first_answer import other_server
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import UserPassword

USERINFO: Final = "/rest/v1/userinfo"
DECISIVE: Final = re.compile(r"CREATE_TARGET|READ_TARGET_SEC\w+|ROLE_\w+")
"""What a reader or a creator must not have, since rows say what happens without it."""
BEFORE_ALL: Final = {
    400: "is this host one of hawkbit.server.security.allowedHostNames?",
    403: "does hawkbit.server.security.clients.blacklist match the address that we come from?",
}
"""Empty refusals of who has not even been asked for credentials."""
NEEDED: Final[tuple[tuple[str, str, Any], ...]] = (
    ("POST", "/rest/v1/targets", []),
    ("POST", "/rest/v1/softwaremodules", []),
    ("POST", "/rest/v1/distributionsets", []),
    ("DELETE", "/rest/v1/targets/{prefix}-nobody", None),
)
"""What the suite cannot do without, in requests that change nothing."""


def check_that_it_is_hawkbit(under_test: TenantUnderTest) -> None:
    """Raises BrokenBench with the first cause."""
    _check_address(under_test, ask(under_test, "GET", USERINFO))
    _check_rights(under_test)
    _check_device_api(under_test)


def check_accounts(under_test: TenantUnderTest, rights: Mapping[str, Sequence[str]]) -> None:
    """The further accounts are let in, and have just the rights that rows reckon with. Raises BrokenBench."""
    for kind, account in under_test.accounts.items():
        answer = ask(under_test, "GET", USERINFO, account=account)
        told = document(answer)
        listed, wanted = told.get("permissions"), set(rights[kind])
        has = {str(one) for one in listed} if isinstance(listed, list) else wanted
        lacking = ", ".join(sorted(wanted - has))
        more = ", ".join(sorted(one for one in has - wanted if DECISIVE.fullmatch(one)))
        wrong = (
            "is not accepted" if answer.status == 401
            else f"gets {answer.status} from GET {USERINFO}: has it hawkbit.security.user.{account.user}.tenant?"
            if answer.status != 200
            else f"belongs to the tenant {told['tenant']!r}"
            if not is_tenant(under_test, told.get("tenant", under_test.tenant))
            else f"may do too much: {more}" if more
            else f"lacks {lacking}" if lacking else ""
        )  # fmt: skip
        if wrong:
            raise BrokenBench(f"the {kind}'s account {account.user!r} {wrong} (--account)")


def ask(
    under_test: TenantUnderTest, method: str, path: str, body: object = None, account: UserPassword | None = None
) -> Answer:
    headers = {"Authorization": basic(account or under_test.admin)}
    if body is None:
        return patiently(lambda: under_test.http.call(method, path, headers))
    headers["Content-Type"] = "application/json"
    return patiently(lambda: under_test.http.call(method, path, headers, json.dumps(body).encode()))


def _check_address(under_test: TenantUnderTest, answer: Answer) -> None:
    """It is hawkBit that answers, and it knows us, in the tenant that is meant."""
    url, user = under_test.http.url, under_test.admin.user
    told = document(answer)
    if answer.status == 401:
        raise BrokenBench(f"{url} does not accept the account {user!r}: check user and password")
    if answer.status in BEFORE_ALL and not answer.body:
        raise BrokenBench(f"{url} answers {answer.status} without a body to everything: {BEFORE_ALL[answer.status]}")
    if answer.status == 403:
        raise BrokenBench(f"{url} accepts {user!r}, but it has no rights there: use an administrator")
    if answer.status != 200 or not {"tenant", "username"} <= told.keys():
        raise BrokenBench(other_server(SOUGHT, url, came(f"GET {USERINFO}", answer, under_test.admin)))
    if not is_tenant(under_test, told["tenant"]):
        raise BrokenBench(
            f"the account {user!r} of {url} belongs to the tenant {told['tenant']!r}, not to {under_test.tenant!r}: "
            "name its tenant in a SERVER.yaml"
        )


def _check_rights(under_test: TenantUnderTest) -> None:
    """What is made can also be removed, and settings can be read, so that they can be restored."""
    user, url = under_test.admin.user, under_test.http.url
    configs = ask(under_test, "GET", "/rest/v1/system/configs")
    if configs.status != 200:
        raise BrokenBench(
            f"{user!r} may not read the tenant's configuration on {url} ({configs.status}): "
            "the suite needs the rights of a tenant administrator"
        )
    for method, path, body in NEEDED:
        path = path.format(prefix=under_test.prefix)
        answer = ask(under_test, method, path, body)
        if answer.status == 403:
            raise BrokenBench(f"{user!r} may not {method} {path} on {url}: use an administrator")
        if answer.status in (405, 501):
            raise BrokenBench(f"{url} does not take {method} {path} ({answer.status}): does a proxy let it through?")


def _check_device_api(under_test: TenantUnderTest) -> None:
    """A device without credentials gets 401 from every hawkBit; a page, a redirect or nothing comes from elsewhere."""
    path = f"/{under_test.tenant}/controller/v1/{under_test.prefix}-nobody"
    answer = patiently(lambda: under_test.http.call("GET", path))
    if answer.status == 404 or answer.status >= 500 or 300 <= answer.status < 400 or media_type(answer) == "text/html":
        raise BrokenBench(
            f"{under_test.http.url} has the Management API but no Device API: GET {path} answered {answer.status} with "
            f"{media_type(answer)}; does a proxy let /{under_test.tenant}/controller through?"
        )


def is_tenant(under_test: TenantUnderTest, told: object) -> bool:
    return str(told).upper() == under_test.tenant.upper()
