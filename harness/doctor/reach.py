"""Tries to connect: host name, port, TLS. The only module of the doctor that opens sockets itself."""

from __future__ import annotations

import select
import socket
import ssl
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from fleetrig.harness.doctor.certificates import from_der
from fleetrig.harness.doctor.contact import Contact, Trouble
from fleetrig.simulator.contract.errors import tls_said

WITHIN_S: Final = 10.0
LISTEN_S: Final = 1.0
"""For an alert after the handshake. A server that is content sends session tickets at once, if it has any."""
REFUSALS: Final = frozenset(
    f"{kind}_ALERT_{what}"
    for kind in ("SSLV3", "TLSV1", "TLSV13")
    for what in (
        "BAD_CERTIFICATE", "UNSUPPORTED_CERTIFICATE", "CERTIFICATE_REVOKED", "CERTIFICATE_EXPIRED",
        "CERTIFICATE_UNKNOWN", "UNKNOWN_CA", "ACCESS_DENIED",
    )
)  # fmt: skip
"""Alerts about our certificate (RFC 8446 §6.2), in OpenSSL's names."""


def reach(url: str, verify: ssl.SSLContext | None, *, insecure: bool, listen_s: float = LISTEN_S) -> Contact:
    """Connects once and, for https, makes the TLS handshake. `verify` None: the system's own authorities. With
    `insecure` a second handshake checks the certificate, to see what is wrong with it. `listen_s`: for second thoughts
    of the server."""
    host, port, is_tls = _place(url)
    try:
        with socket.create_connection((host, port), WITHIN_S) as connection:
            if not is_tls:
                return Contact()
            context = verify or ssl.create_default_context()
            with context.wrap_socket(connection, server_hostname=host) as secured:
                shown = from_der(secured.getpeercert(binary_form=True) or b"")
                contact = _second_thoughts(secured, Contact(certificate=shown), listen_s)
        return replace(contact, untrusted=_objection(host, port)) if insecure else contact
    except ssl.SSLCertVerificationError as error:
        return replace(_certificate_of(host, port), trouble=Trouble.NOT_TRUSTED, untrusted=error.verify_message)
    except ssl.SSLError as error:
        return Contact(_tls_trouble(error), tls_said(error).removeprefix("TLS: ") or str(error))
    except (OSError, UnicodeError) as error:
        return Contact(_socket_trouble(error), getattr(error, "strerror", "") or str(error))


def _objection(host: str, port: int) -> str:
    """Why the server's certificate would not be accepted; empty when it would."""
    try:
        with (
            socket.create_connection((host, port), WITHIN_S) as connection,
            ssl.create_default_context().wrap_socket(connection, server_hostname=host),
        ):
            return ""
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except OSError:
        return ""


def _second_thoughts(secured: ssl.SSLSocket, contact: Contact, listen_s: float) -> Contact:
    """In TLS 1.3 a server refuses a client's certificate only after the client's side of the handshake is done. So we
    listen before we send: a request sent too early would meet a reset, and the alert with the reason would be lost."""
    if secured.version() != "TLSv1.3" or not select.select([secured], [], [], listen_s)[0]:
        return contact
    secured.setblocking(False)
    try:
        secured.recv(1)
    except ssl.SSLWantReadError:
        pass  # session tickets: the server is content
    except ssl.SSLError as error:
        return replace(contact, trouble=_tls_trouble(error), detail=tls_said(error).removeprefix("TLS: "))
    except OSError:
        pass  # whether it speaks HTTP is found out later
    return contact


def speaks_tls(url: str) -> bool:
    """Whether the port of an http URL answers a TLS handshake."""
    host, port, _ = _place(url)
    try:
        return _certificate_of(host, port).certificate is not None
    except OSError:
        return False


def trouble_of(error: BaseException | None) -> Trouble:
    """Why a request got no answer on a connection that was there."""
    match error:
        case ssl.SSLError():
            return _tls_trouble(error)
        case TimeoutError():
            return Trouble.NO_ANSWER
        case _:
            return Trouble.NO_HTTP


def _place(url: str) -> tuple[str, int, bool]:
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    return parts.hostname or "", parts.port or (443 if is_tls else 80), is_tls


def _certificate_of(host: str, port: int) -> Contact:
    """A handshake that accepts anything, to see what is shown. Raises OSError."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection((host, port), WITHIN_S) as connection,
        context.wrap_socket(connection, server_hostname=host) as secured,
    ):
        return Contact(certificate=from_der(secured.getpeercert(binary_form=True) or b""))


def _tls_trouble(error: ssl.SSLError) -> Trouble:
    reason = error.reason or ""
    if "CERTIFICATE_REQUIRED" in reason or reason == "SSLV3_ALERT_HANDSHAKE_FAILURE":
        return Trouble.WANTS_CERTIFICATE
    if reason in REFUSALS:
        return Trouble.CERTIFICATE_REFUSED
    if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF_WHILE_READING"}:
        return Trouble.NOT_TLS
    return Trouble.TLS_REFUSED


def _socket_trouble(error: Exception) -> Trouble:
    match error:
        case ConnectionRefusedError():
            return Trouble.NOBODY_LISTENS
        case socket.gaierror() | UnicodeError():
            return Trouble.UNKNOWN_HOST
        case TimeoutError():
            return Trouble.NO_ANSWER
        case ConnectionResetError():
            return Trouble.NOT_TLS
        case _:
            return Trouble.NO_ROUTE
