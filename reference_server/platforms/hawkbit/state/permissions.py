"""Rights of Mgmt accounts: names, roles and what implies what (§1.1; `SpPermission.java`, `SpRole.java`)."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

ACTIONS: Final = ("CREATE", "READ", "UPDATE", "DELETE")
GROUPS: Final = (
    "TARGET", "TARGET_TYPE", "SOFTWARE_MODULE", "SOFTWARE_MODULE_TYPE", "DISTRIBUTION_SET", "DISTRIBUTION_SET_TYPE",
    "ROLLOUT", "AUTO_ASSIGNMENT", "TENANT_CONFIGURATION",
)  # fmt: skip
SPECIAL: Final = (
    "READ_TARGET_SECURITY_TOKEN", "READ_GATEWAY_SECURITY_TOKEN", "READ_SOFTWARE_MODULE_ARTIFACT", "APPROVE_ROLLOUT",
    "HANDLE_ROLLOUT", "APPROVE_AUTO_ASSIGNMENT", "HANDLE_AUTO_ASSIGNMENT", "TENANT_CONFIGURATION",
)  # fmt: skip


def _all(*groups: str) -> set[str]:
    return {f"{action}_{group}" for group in groups for action in ACTIONS}


TARGET_ADMIN: Final = _all("TARGET", "TARGET_TYPE") | {
    "READ_TARGET_SECURITY_TOKEN",
    "APPROVE_AUTO_ASSIGNMENT",
    "HANDLE_AUTO_ASSIGNMENT",
}
REPOSITORY_ADMIN: Final = _all(
    "SOFTWARE_MODULE", "SOFTWARE_MODULE_TYPE", "DISTRIBUTION_SET", "DISTRIBUTION_SET_TYPE"
) | {"READ_SOFTWARE_MODULE_ARTIFACT"}
ROLLOUT_ADMIN: Final = _all("ROLLOUT") | {"HANDLE_ROLLOUT", "APPROVE_ROLLOUT"}
TENANT_ADMIN: Final = TARGET_ADMIN | REPOSITORY_ADMIN | ROLLOUT_ADMIN | {"TENANT_CONFIGURATION"}

IMPLIED: Final[dict[str, set[str]]] = {
    "ROLE_TARGET_ADMIN": TARGET_ADMIN,
    "ROLE_REPOSITORY_ADMIN": REPOSITORY_ADMIN,
    "ROLE_ROLLOUT_ADMIN": ROLLOUT_ADMIN,
    "ROLE_TENANT_ADMIN": TENANT_ADMIN,
    "ROLE_SYSTEM_CODE": TENANT_ADMIN | {"ROLE_TENANT_ADMIN", "ROLE_CONTROLLER"},
    "ROLE_CONTROLLER": set(),
    "TENANT_CONFIGURATION": _all("TENANT_CONFIGURATION") | {"READ_GATEWAY_SECURITY_TOKEN"},
    "READ_TARGET": {"READ_AUTO_ASSIGNMENT"},
    "UPDATE_TARGET": {"CREATE_AUTO_ASSIGNMENT", "UPDATE_AUTO_ASSIGNMENT", "DELETE_AUTO_ASSIGNMENT"},
}
for _action in ACTIONS:
    for _group in ("TARGET", "SOFTWARE_MODULE", "DISTRIBUTION_SET"):
        IMPLIED.setdefault(f"{_action}_{_group}", set()).add(f"READ_{_group}_TYPE")

KNOWN: Final = frozenset(_all(*GROUPS) | set(SPECIAL) | set(IMPLIED))


ROLES: Final = frozenset(name.removeprefix("ROLE_") for name in IMPLIED if name.startswith("ROLE_"))


def spelt(right: str) -> str:
    """A right as the server knows it: roles also without `ROLE_`, as its own properties name them."""
    return f"ROLE_{right}" if right in ROLES else right


@lru_cache(maxsize=64)
def reachable(rights: tuple[str, ...]) -> frozenset[str]:
    """Everything that these rights and roles allow, themselves included.

    A right with a scope (`PERM/<rsql>`) allows nothing: scopes are only read where `hawkbit.acm` is switched on, which
    it is not in the all-in-one server.
    """
    found: set[str] = set()
    waiting = list(rights)
    while waiting:
        right = waiting.pop()
        if right not in found:
            found.add(right)
            waiting.extend(IMPLIED.get(right, ()))
    return frozenset(found)


def unknown_rights(rights: Iterable[str]) -> dict[str, str]:
    """Rights that the server does not know -> the nearest one that it does ("" if none is near)."""
    wrong = [right for right in rights if right.partition("/")[0] not in KNOWN]
    return {right: next(iter(get_close_matches(right.upper(), KNOWN, n=1)), "") for right in wrong}
