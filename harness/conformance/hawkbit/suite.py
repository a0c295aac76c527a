"""The hawkBit suite: its rows, the server it meets, and what that server can do."""

from __future__ import annotations

import contextlib
import secrets
import ssl
from collections.abc import Iterator, Mapping
from typing import Final

from harness.conformance.exact_client import ExactClient
from harness.conformance.frame import Row, number_of
from harness.conformance.hawkbit import RESOURCES
from harness.conformance.hawkbit.session import Server, Session, basic
from harness.conformance.own_server import own_server
from simulator.contract.errors import BrokenBench
from simulator.contract.identity import UserPassword

ROWS: Final[tuple[Row[Session], ...]] = tuple(sorted((row for one in RESOURCES for row in one.rows), key=number_of))

PROFILES: Final = ("1.1", "0.9", "as-documented")

OWN_CAN: Final = frozenset({"accounts", "fast_polling", "trusted_ips", "loopback_sources"})
"""What rows may need beyond an address and an administrator:

accounts: further accounts with fewer rights · fast_polling: intervals below 30 s · trusted_ips: the server trusts only
127.0.0.1, so that another loopback address is a stranger to it
"""

RIGHTS: Final[Mapping[str, tuple[str, ...]]] = {
    "creator": ("CREATE_TARGET", "READ_TARGET"),
    "reader": ("READ_TARGET",),
}
OWN_OPTIONS: Final = (
    "--set=hawkbit.controller.minPollingTime=00:00:01",
    "--set=hawkbit.server.ddi.security.rp.trustedIPs=127.0.0.1",
)


@contextlib.contextmanager
def own_hawkbit(profile: str) -> Iterator[tuple[Server, frozenset[str]]]:
    """Our reference server with everything that rows need."""
    accounts = {kind: UserPassword(kind, secrets.token_hex(8)) for kind in RIGHTS}
    listed = [{"user": a.user, "password": a.password, "rights": list(RIGHTS[kind])} for kind, a in accounts.items()]
    with own_server([*OWN_OPTIONS, f"--profile=hawkbit={profile}"], listed) as url:
        admin = UserPassword("admin", "admin")
        yield Server(ExactClient(url), admin, profile=profile, accounts=accounts), OWN_CAN


def check_that_it_is_hawkbit(server: Server) -> None:
    """Raises BrokenBench with the first cause, so that nobody has to read it off a hundred failures."""
    url = server.client.url
    answer = server.client.call("GET", "/rest/v1/userinfo", {"Authorization": basic(server.admin)})
    if answer.status == 401:
        raise BrokenBench(f"{url} does not accept the account {server.admin.user!r}: check user and password")
    if 300 <= answer.status < 400:
        raise BrokenBench(f"{url} redirects to {answer.header('Location')}: give that address instead")
    if answer.status == 403:
        raise BrokenBench(f"{url} accepts {server.admin.user!r}, but it has no rights there: use an administrator")
    kind = (answer.header("Content-Type") or "nothing").partition(";")[0]
    if answer.status != 200 or not kind.endswith("json"):
        raise BrokenBench(
            f"{url} is no hawkBit server: GET /rest/v1/userinfo answered {answer.status} with {kind}; "
            "is there a path before /rest that belongs to the address?"
        )
    configs = server.client.call("GET", "/rest/v1/system/configs", {"Authorization": basic(server.admin)})
    if configs.status != 200:
        raise BrokenBench(
            f"{server.admin.user!r} may not read the tenant's configuration on {url} ({configs.status}): "
            "the suite needs the rights of a tenant administrator"
        )


def verify_context(verify: ssl.SSLContext | bool) -> ssl.SSLContext | None:
    """None for plain HTTP and the system's own authorities."""
    return verify if isinstance(verify, ssl.SSLContext) else None
