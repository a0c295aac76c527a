"""HTTP Basic for the management interface (§1.1)."""

from __future__ import annotations

import base64
from hmac import compare_digest

from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.state.errors import HawkbitError, framework
from fleetrig.reference_server.platforms.hawkbit.state.permissions import reachable
from fleetrig.reference_server.platforms.hawkbit.state.settings import Account
from fleetrig.simulator.contract.credential_places import shown_scheme, shown_user


def authenticate(call: Call) -> None:
    """Fills in tenant, user and permissions. Raises 401 with the realm."""
    presented = call.headers.get("authorization", "")
    scheme, _, credentials = presented.partition(" ")
    if scheme.lower() != "basic":
        what = f"scheme {shown_scheme(presented)}" if presented else "no credentials"
        raise _unauthorized(call, f"{what}: the management interface takes HTTP Basic, no device tokens")
    try:
        padded = credentials + "=" * (-len(credentials) % 4)  # Java's decoder does not ask for padding
        user, colon, password = base64.b64decode(padded, validate=True).decode().partition(":")
    except ValueError:
        raise _unauthorized(call, "the Basic credentials are not base64 of user:password") from None
    account = next((account for account in call.settings.accounts if account.user == user), None)
    # The password is compared in any case, so that the time taken does not tell which users there are.
    right = compare_digest((account.password if account else "").encode(), password.encode())
    if account is None or not right or not colon:
        why = f"user {shown_user(user, password)} is unknown" if account is None else f"wrong password for user {user}"
        raise _unauthorized(call, why)
    _enter(call, account)


def _enter(call: Call, account: Account) -> None:
    call.user = account.user
    call.tenant = call.tenant_in_path = account.tenant.upper()
    call.permissions = reachable(account.rights)


def _unauthorized(call: Call, reason: str) -> HawkbitError:
    realm = f'Basic realm="{call.settings.basic_realm}"'
    if not call.traits.names_charset:
        realm += ', charset="UTF-8"'
    return framework(401, reason, headers=(("WWW-Authenticate", realm),))
