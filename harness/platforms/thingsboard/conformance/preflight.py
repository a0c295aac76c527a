"""Is this a ThingsBoard that can be judged? Asked before any row: nobody shall read the cause off a hundred failures.

Nothing is created here. What a row may find wrong is left to rows: this is about the way to the server, the accounts
and what stands in between.
"""

from __future__ import annotations

from typing import Final

from fleetrig.harness.conformance.answer_reading import came, document, media_type
from fleetrig.harness.platforms.thingsboard.admin import SOUGHT
from fleetrig.harness.platforms.thingsboard.conformance.asking import PATH, as_bytes
from fleetrig.harness.platforms.thingsboard.conformance.generations import suggested_profile
from fleetrig.harness.platforms.thingsboard.conformance.operator_api import JSON, Login, OperatorApi
from fleetrig.harness.platforms.thingsboard.conformance.under_test import SYSADMIN, ServerUnderTest
from fleetrig.harness.servers.first_answer import other_server
from fleetrig.simulator.contract.errors import BrokenBench

LOGIN: Final = "/api/auth/login"
MYSELF: Final = "/auth/user"
TENANT_ADMIN: Final = "TENANT_ADMIN"
SYS_ADMIN: Final = "SYS_ADMIN"
AUTHORITIES: Final = {
    TENANT_ADMIN: "a tenant's administrator",
    SYS_ADMIN: "a system administrator",
    "CUSTOMER_USER": "a customer's user",
}
SECOND_FACTOR: Final = "PRE_VERIFICATION_TOKEN"
"""The scope of a login that waits for a second factor."""


def check_that_it_is_thingsboard(under_test: ServerUnderTest) -> None:
    """Raises BrokenBench with the first cause."""
    api = OperatorApi(under_test.http, under_test.login)
    _log_in(api)
    _check_authority(
        api, TENANT_ADMIN, "rows need the administrator of a tenant: name user and password in a SERVER.yaml"
    )
    _check_device_api(under_test)
    if under_test.sysadmin is not None:
        above = OperatorApi(under_test.http, Login(under_test.sysadmin))
        _log_in(above, f" (--account {SYSADMIN})")
        _check_authority(above, SYS_ADMIN, f"--account {SYSADMIN} takes a system administrator")


def remarks_on(under_test: ServerUnderTest) -> list[str]:
    """What the server says that it is, and which profile fits better when another does."""
    answer = OperatorApi(under_test.http, under_test.login).api("GET", "/system/info")
    version = str(document(answer).get("version"))
    fitting = suggested_profile(version) if answer.status == 200 else None
    if fitting is None:
        return []
    more = (
        ""
        if fitting == under_test.profile
        else f": --profile {fitting} expects its answers, --profile {under_test.profile} others"
    )
    return [f"{under_test.http.url} says that it is ThingsBoard {version[:40]}{more}"]


def _log_in(api: OperatorApi, whose: str = "") -> None:
    """It is ThingsBoard that answers, and it knows us."""
    url, user = api.http.url, api.login.account.user
    answer = api.say_log_in()
    told = document(answer)
    if answer.status == 401 and "errorCode" in told:
        why = str(told.get("message", ""))[:100]
        raise BrokenBench(f"{url} does not accept the account {user!r}{whose} ({why}): check user and password")
    if answer.status == 200 and told.get("scope") == SECOND_FACTOR:
        raise BrokenBench(f"{url} asks {user!r}{whose} for a second factor: use an account without one")
    if answer.status != 200 or not isinstance(told.get("token"), str):
        raise BrokenBench(other_server(SOUGHT, url, came(f"POST {LOGIN}", answer, api.login.account)))
    api.login.token = told["token"]


def _check_authority(api: OperatorApi, wanted: str, remedy: str) -> None:
    answer = api.api("GET", MYSELF)
    authority = document(answer).get("authority")
    if answer.status != 200 or not isinstance(authority, str):
        raise BrokenBench(other_server(SOUGHT, api.http.url, came(f"GET /api{MYSELF}", answer, api.login.account)))
    if authority != wanted:
        who = AUTHORITIES.get(authority, authority)
        raise BrokenBench(f"{api.login.account.user!r} is {who} of {api.http.url}: {remedy}")


def _check_device_api(under_test: ServerUnderTest) -> None:
    """A key that nobody has is answered by every ThingsBoard; a page, a redirect or nothing comes from elsewhere."""
    members = {"provisionDeviceKey": f"{under_test.prefix}-nobody", "provisionDeviceSecret": "x"}
    answer = under_test.http.call("POST", PATH, JSON, as_bytes(members))
    if answer.status in (404, 405) or 300 <= answer.status < 400 or media_type(answer) == "text/html":
        raise BrokenBench(
            f"{under_test.http.url} has the operator's API but no device API: POST {PATH} answered {answer.status} "
            f"with {media_type(answer)}; does a proxy let /api/v1 through?"
        )
