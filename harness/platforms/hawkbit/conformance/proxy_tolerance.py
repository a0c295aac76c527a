"""What may stand between us and the server, and change what is sent: then a difference may not be the server's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

from fleetrig.harness.conformance.expect import Mismatch, Missing
from fleetrig.harness.platforms.hawkbit.conformance.session import Session

MAKERS: Final = ("Via", "Server")
"""Headers in which proxies name themselves; hawkBit sends neither."""


def something_between(server: Session) -> bool:
    """Whether the address looks like a reverse proxy's: a path before /rest, TLS, or an answer that names its maker."""
    client = server.client
    if client.prefix or client.url.startswith("https:"):
        return True
    answer = server.call("GET", f"/{server.tenant}/controller/v1/{server.name('probe')}", {})
    return any(answer.header(name) is not None for name in MAKERS)


@contextlib.contextmanager
def as_sent(server: Session, what: str) -> Iterator[None]:
    """For rows on what proxies are free to change (`what`, in the plural): there a difference proves nothing.

    Raises Missing instead of Mismatch when something stands in between.
    """
    try:
        yield
    except Mismatch as mismatch:
        if something_between(server):
            raise Missing(f"a direct way to it: {what} may be changed by what stands before it ({mismatch})") from None
        raise
