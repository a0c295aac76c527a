"""Where a tenant or a customer is, as its document says it (ContactBased of the real server)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from fleetrig.reference_server.platforms.thingsboard.http.errors import invalid
from fleetrig.reference_server.platforms.thingsboard.rest.forms import CONTACT
from fleetrig.reference_server.platforms.thingsboard.rest.members import text
from fleetrig.reference_server.platforms.thingsboard.state.field_rules import MOST_CHARS, check_text

EMAIL: Final = re.compile(r"[A-Z0-9_!#$%&'*+/=?`{|}~^.-]+@[A-Z0-9.-]+\.[A-Z]{2,}", re.IGNORECASE | re.ASCII)
"""DataValidator's pattern."""
AS_LONG_AS_IT_LIKES: Final = ("address", "address2")
CALLED: Final = {"zip": "zip or postal code"}


def contact_of(body: Mapping[str, Any]) -> dict[str, str]:
    """Raises RuleBroken, and 400 for an e-mail address that is none."""
    found = {name: value for name in CONTACT if (value := text(body, name)) is not None}
    for name, value in found.items():
        check_text(name, value, None if name in AS_LONG_AS_IT_LIKES else MOST_CHARS, CALLED.get(name, ""))
    if found.get("email"):
        check_email(found["email"])
    return found


def check_email(email: str) -> None:
    """Raises 400."""
    if not EMAIL.fullmatch(email):
        raise invalid(f"Invalid email address format '{email}'!")
