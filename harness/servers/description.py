"""What commands know of a platform's server without loading its engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from fleetrig.harness.platforms import PLATFORMS, load
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import UserPassword

LISTENERS = ("http", "https", "mqtt", "mqtts", "coap", "coaps", "registry")
"""All the listeners that platforms have; each is an option of `serve` and a key of SERVER.yaml."""
TLS_LISTENERS = frozenset({"https", "mqtts", "coaps"})


@dataclass(frozen=True, slots=True)
class ServerDescription:
    """Pure data; each platform has one in its `server.py`."""

    title: str
    """As people write the platform's name."""
    summary: str
    """What it is, on one line of help."""
    listeners: tuple[str, ...]
    """The listeners that it has, a subset of `LISTENERS`."""
    defaults: Mapping[str, str]
    """Where `serve` listens without options: listener -> `HOST:PORT`. The others are opened on demand."""
    admin: str
    """The listener of its administration interface, which speaks HTTP."""
    profiles: tuple[str, ...]
    """The supported versions of the real server, the newest first."""
    account: UserPassword
    """The well-known administrator of a fresh server."""
    tenant: str
    """The tenant of a fresh server."""

    @property
    def admin_listeners(self) -> tuple[str, ...]:
        """Where the administration interface may be, the usual place first."""
        return (self.admin, "https") if self.admin == "http" else (self.admin,)


def description_of(platform: str) -> ServerDescription:
    """The server of a platform that the table names."""
    description: ServerDescription = load(platform, "server:SERVER")
    return description


def known_platform(name: str, what: str, known: Sequence[str] = tuple(PLATFORMS)) -> str:
    """The name, if there is such a platform. `what` says where it was given. Raises UsageError."""
    if name not in known:
        raise UsageError(f"{what}: there is no platform {name!r}; {expected(name, known)}")
    return name


def known_profile(platform: str, given: str | None) -> str:
    """The generation of our own server; the newest if none was given. Raises UsageError."""
    about = description_of(platform)
    profile = about.profiles[0] if given is None else given
    if profile not in about.profiles:
        raise UsageError(f"--profile: {about.title} has no profile {profile!r}; {expected(profile, about.profiles)}")
    return profile


def expected(got: str, known: Sequence[str]) -> str:
    """`expected a, b or c; did you mean b?`"""
    words = " or ".join(filter(None, [", ".join(known[:-1]), known[-1]]))
    return f"expected {words}{did_you_mean(got, known)}"


def did_you_mean(got: str, known: Sequence[str]) -> str:
    """`; did you mean b?`, or nothing when none is near."""
    near = get_close_matches(got, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""
