"""Which account a request is about: by its id in the path, `_` for that of whoever has signed in."""

from __future__ import annotations

import re
from typing import Final

from fleetrig.reference_server.platforms.kura.rest.call import Call
from fleetrig.reference_server.platforms.kura.state.accounts import needed_account
from fleetrig.reference_server.platforms.kura.state.errors import illegal
from fleetrig.reference_server.platforms.kura.state.records import AccountRecord

OWN: Final = "_"
ID: Final = re.compile(r"[A-Za-z0-9_=-]{1,64}", re.ASCII)


def account_of(call: Call, scope: str) -> AccountRecord:
    """Raises Refused: 400 for what is no id, 404 for an account that is not there."""
    if scope == OWN:
        scope = call.operator.scope_id
    if ID.fullmatch(scope) is None:
        raise illegal("scopeId", scope[:80], "expected an id in base64url, or _ for one's own account")
    return needed_account(call.registry, scope)


def is_id(text: str) -> bool:
    return ID.fullmatch(text) is not None
