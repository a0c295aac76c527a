"""What may stand between us and the server, and change what is sent: then a difference may not be the server's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

from fleetrig.harness.conformance.expect import Mismatch, MissingCapability
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient

MAKERS: Final = ("Via", "Server")
"""Headers in which proxies name themselves; hawkBit sends neither."""


def behind_proxy(client: RowClient) -> bool:
    """Whether the address looks like a reverse proxy's: a path before /rest, TLS, or an answer that names its maker."""
    connection = client.http
    if connection.prefix or connection.url.startswith("https:"):
        return True
    answer = client.call("GET", f"/{client.tenant}/controller/v1/{client.name('probe')}", {})
    return any(answer.header(name) is not None for name in MAKERS)


@contextlib.contextmanager
def tolerating_proxies(client: RowClient, what: str) -> Iterator[None]:
    """For rows on what proxies are free to change (`what`, in the plural): there a difference proves nothing.

    Raises MissingCapability instead of Mismatch when something stands in between.
    """
    try:
        yield
    except Mismatch as mismatch:
        if behind_proxy(client):
            raise MissingCapability(
                f"a direct way to it: {what} may be changed by what stands before it ({mismatch})"
            ) from None
        raise
