"""Who may use the management API: HTTP Basic where accounts are configured (spec 1), as Vert.x Web has it."""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from collections.abc import Iterable
from typing import Final

from fleetrig.reference_server.platform import HttpAnswer
from fleetrig.reference_server.platforms.hono.state.settings import Account
from fleetrig.reference_server.platforms.hono.vertx.pages import error_response
from fleetrig.simulator.contract.http import Headers, HttpRequest

CHALLENGE: Final[Headers] = (("WWW-Authenticate", 'Basic realm="Hono"'),)
BY_SCRIPT: Final = "XMLHttpRequest"
"""`X-Requested-With` of a script, which is not asked for a password."""


class Accounts:
    """Without any everybody may do everything."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._passwords = {account.user: account.password.encode() for account in accounts}

    def refusal(self, request: HttpRequest) -> HttpAnswer | None:
        """None for who may go on."""
        if not self._passwords or _is_preflight(request):
            return None
        said = request.header("authorization")
        if said is None:
            return _unauthorized(request, "the registry needs an account: send it by HTTP Basic")
        scheme, blank, credentials = said.partition(" ")
        if not scheme or not blank:
            return _malformed("an Authorization that is no scheme and credentials")
        if scheme.lower() != "basic":
            return _unauthorized(request, f"the registry takes HTTP Basic, not {scheme[:40]!r}")
        try:
            user, _, password = b64decode(credentials, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, ValueError):
            return _malformed("HTTP Basic that is no Base64 of UTF-8")
        expected = self._passwords.get(user)
        if expected is None or not hmac.compare_digest(expected, password.encode()):
            return _unauthorized(request, "no account has this user and password")
        return None


def _is_preflight(request: HttpRequest) -> bool:
    """A browser asks whether it may send an account."""
    asked = request.header("access-control-request-headers") or ""
    return request.method == "OPTIONS" and "authorization" in asked.lower().split(",")


def _unauthorized(request: HttpRequest, reason: str) -> HttpAnswer:
    headers = () if request.header("x-requested-with") == BY_SCRIPT else CHALLENGE
    return HttpAnswer(error_response(401, "Unauthorized", headers), reason)


def _malformed(reason: str) -> HttpAnswer:
    return HttpAnswer(error_response(400, "Bad Request"), reason)
