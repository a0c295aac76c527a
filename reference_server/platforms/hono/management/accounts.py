"""Who may use the management API: HTTP Basic, where accounts are configured (spec 1)."""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from collections.abc import Iterable
from typing import Final

from fleetrig.reference_server.platform import HttpAnswer
from fleetrig.reference_server.platforms.hono.management.replies import error_response
from fleetrig.reference_server.platforms.hono.state.settings import Account
from fleetrig.simulator.contract.http import HttpRequest

CHALLENGE: Final = (("WWW-Authenticate", 'Basic realm="Hono"'),)
UNAUTHORIZED: Final = 401


class Accounts:
    """Without any everybody may do everything."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._passwords = {account.user: account.password.encode() for account in accounts}

    def refusal(self, request: HttpRequest) -> HttpAnswer | None:
        if not self._passwords:
            return None
        said = request.header("authorization")
        if said is None:
            return _refused("the registry needs an account: send it by HTTP Basic")
        scheme, _, credentials = said.partition(" ")
        if scheme.lower() != "basic":
            return _refused(f"the registry takes HTTP Basic, not {scheme[:40]!r}")
        try:
            user, colon, password = b64decode(credentials, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, ValueError):
            return HttpAnswer(
                error_response(400, "Bad Request"), "credentials of HTTP Basic that are no Base64 of UTF-8"
            )
        expected = self._passwords.get(user)
        if expected is None or not hmac.compare_digest(expected, password.encode()) or not colon:
            return _refused("no account has this user and password")
        return None


def _refused(reason: str) -> HttpAnswer:
    return HttpAnswer(error_response(UNAUTHORIZED, "Unauthorized", CHALLENGE), reason)
