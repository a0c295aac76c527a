"""CoAP as neutral envelopes (RFC 7252, observe: RFC 7641), without saying which library carries it.

An endpoint (address and port) is a session; an observation lives as long as its session or until it is cancelled.
"""

from __future__ import annotations

from dataclasses import dataclass

CoapOptions = tuple[tuple[int, bytes], ...]
"""Number and value as on the wire; Uri-Path, Uri-Query and Observe are fields of their own."""


@dataclass(frozen=True, slots=True)
class CoapRequest:
    """`origin` is scheme and authority (`coap://host:5683`), `target` path and query (`/api/v1/provision?a=b`).

    `observe`: 0 registers, 1 takes it back, None does neither.
    """

    method: str
    origin: str
    target: str
    payload: bytes = b""
    options: CoapOptions = ()
    observe: int | None = None
    token: bytes = b""
    confirmable: bool = True

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @property
    def line(self) -> str:
        """`POST coap:/api/v1/provision`"""
        return f"{self.method} {self.origin.partition(':')[0]}:{self.path}"


@dataclass(frozen=True, slots=True)
class CoapResponse:
    """An answer, or a notification when `observe` has a sequence number. `code` as people write it: `2.05`."""

    code: str
    payload: bytes = b""
    options: CoapOptions = ()
    observe: int | None = None
    token: bytes = b""
    confirmable: bool = False
    separate: bool = False
    """In a message of its own, though it could be piggybacked: a client that gets it takes its request for acknowledged
    (RFC 7252 §5.2.2)."""

    @property
    def line(self) -> str:
        return self.code


@dataclass(frozen=True, slots=True)
class CoapReset:
    """The other side does not want the message: refuses a notification, which ends its observation."""

    token: bytes = b""

    @property
    def line(self) -> str:
        return "RST"


CoapMessage = CoapRequest | CoapResponse | CoapReset
