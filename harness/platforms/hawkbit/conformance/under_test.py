"""What rows are run against, and what they make there."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.simulator.contract.identity import UserPassword


@dataclass(frozen=True, slots=True)
class Target:
    """A target that a row made; `token` is what the server keeps for it."""

    controller_id: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Update:
    """A distribution set of type `os` with one module and one artifact."""

    set_id: int
    module_id: int
    name: str
    version: str
    filename: str
    content: bytes


@dataclass(slots=True)
class TenantUnderTest:
    """What is the same for all rows: where the server is, who administers the tenant, which generation is expected."""

    http: ExactClient
    admin: UserPassword
    tenant: str = "DEFAULT"
    profile: str = "1.1"
    accounts: Mapping[str, UserPassword] = field(default_factory=dict)
    """Further accounts by what they may do: `creator` (CREATE_TARGET, READ_TARGET), `reader` (READ_TARGET)."""
    may_change_settings: bool = True
    prefix: str = field(default_factory=lambda: f"fr{secrets.token_hex(3)}")
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    """Of names: one that was deleted may still be taken."""
    originals: dict[str, Any] = field(default_factory=dict)
    """The tenant configuration as the run met it, as far as rows changed it; None: the default."""
    left_behind: list[str] = field(default_factory=list)
    """Sentences on what rows made or configured and the server would not take back."""
