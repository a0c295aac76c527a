"""Ids and pages that a request names, with the texts of the real server's refusals."""

from __future__ import annotations

import re
from typing import Final

from fleetrig.reference_server.platforms.hono.management.call import Call
from fleetrig.reference_server.platforms.hono.management.routing import DEVICE_ID, TENANT_ID
from fleetrig.reference_server.platforms.hono.state import ids
from fleetrig.reference_server.platforms.hono.state.errors import Refused

PATTERNS: Final = {TENANT_ID: (ids.IS_TENANT_ID, ids.TENANT_ID), DEVICE_ID: (ids.IS_DEVICE_ID, ids.DEVICE_ID)}
JAVA_INT: Final = re.compile(r"[+-]?[0-9]{1,10}", re.ASCII)
INT_MAX: Final = 2**31 - 1
PAGE_SIZE: Final = 30
MOST_PAGE_SIZE: Final = 200


def tenant_id(call: Call) -> str:
    """Raises Refused."""
    return _id(call, TENANT_ID)


def device_id(call: Call) -> str:
    """Raises Refused."""
    return _id(call, DEVICE_ID)


def optional_id(call: Call, name: str) -> str | None:
    """None where the path has no such variable: the registry makes one. Raises Refused."""
    return None if call.parameter(name) is None else _id(call, name)


def page_size(call: Call) -> int:
    """Raises Refused."""
    return _number(call, "pageSize", PAGE_SIZE, MOST_PAGE_SIZE)


def check_page_size(call: Call, size: int) -> None:
    """The service behind the API takes no 0. Raises Refused."""
    if size == 0:
        status = 500 if call.registry.traits.crashes else 400
        raise Refused(status, "page size must be a positive integer", f"pageSize may be 1 to {MOST_PAGE_SIZE}, not 0")


def page_offset(call: Call) -> int:
    """Raises Refused."""
    return _number(call, "pageOffset", 0, INT_MAX)


def _id(call: Call, name: str) -> str:
    value = call.parameter(name) or ""
    fits, pattern = PATTERNS[name]
    if call.registry.traits.checks_ids and fits.fullmatch(value) is None:
        raise _failed(name, value, f": value does not match pattern [{pattern}]")
    return value


def _number(call: Call, name: str, default: int, most: int) -> int:
    said = call.parameter(name)
    if said is None:
        return default
    if JAVA_INT.fullmatch(said) is None or not -INT_MAX - 1 <= int(said) <= INT_MAX:
        raise _failed(name, said, ": value is not an integer")
    if not 0 <= int(said) <= most:
        raise _failed(name, said, "")
    return int(said)


def _failed(name: str, value: str, why: str) -> Refused:
    error = f"request parameter [name: {name}, value: {value}] failed validation{why}"
    return Refused(400, error, f"{name} is {value[:80]!r}{why or ', which is out of range'}")
