"""A connection, or for CoAP an endpoint, as the server sees it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Session:
    """What a front knows of the connection an envelope came on.

    `id` tells sessions of one run apart: the trace pairs what came with what went by it. `certificates` are those that
    the peer showed in its TLS handshake, DER, its own first; they may be unknown to everybody and out of date.
    """

    peer: str = "127.0.0.1"
    local_port: int = 80
    id: int = 0
    listener: str = "http"
    """The name of the listener it came in by: `http`, `https`, `mqtt`, `mqtts`, `coap`, `coaps` …"""
    tls: bool = False
    certificates: tuple[bytes, ...] = ()
    server_name: str = ""
    """The host that the peer asked for in its TLS handshake (SNI); empty when it named none."""
    psk_identity: str = ""
    """The identity of its pre-shared key; empty when it used none."""
