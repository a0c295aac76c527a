"""What stands behind a running server."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.simulator.contract.errors import UsageError

__tracebackhide__ = True


def _no_control(what: str) -> NoReturn:
    raise UsageError(f"{what} needs the control interface of a reference server, and none is known of this one")


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind a running server, which is nothing to a test."""

    remote: RemoteServer | None = None
    """The server as the rest of fleetrig knows it."""
    since: int = 0
    """The number of the last event before the test began."""
    since_us: int = 0
    """When it began, by the server's clock."""
    verify: ssl.SSLContext | None = None
    without_control: Callable[[str], NoReturn] = _no_control
    """Hears what would have needed a control interface."""
    end: Callable[[], object] | None = None
    """Ends it, if it was started for the test."""
