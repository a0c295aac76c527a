"""The session of a connection, for every front over TCP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fleetrig.simulator.contract.session import Session


def session_of(transport: asyncio.BaseTransport, listener: str, next_session_id: Callable[[], int]) -> Session:
    """With TLS the session is as old as the connection: its id was drawn before the handshake."""
    known: Session | None = transport.get_extra_info("session")
    if known is not None:
        return known
    peer = transport.get_extra_info("peername") or ("",)
    here = transport.get_extra_info("sockname") or ("", 0)
    return Session(peer[0], here[1], next_session_id(), listener)
