"""Knocks at a server's door: name, port, TLS. The only place of the doctor that opens sockets itself."""

from __future__ import annotations

import socket
import ssl
from dataclasses import replace
from urllib.parse import urlsplit

from harness.doctor.certificates import from_der
from harness.doctor.contact import Contact, Trouble

WITHIN_S = 10.0


def reach(url: str, verify: ssl.SSLContext | None, *, insecure: bool) -> Contact:
    """Connects once and, for https, shakes hands. `verify` None is the system's own authorities."""
    host, port, is_tls = _place(url)
    try:
        with socket.create_connection((host, port), WITHIN_S) as connection:
            if not is_tls:
                return Contact()
            context = ssl.create_default_context() if verify is None or insecure else verify
            with context.wrap_socket(connection, server_hostname=host) as secured:
                return Contact(certificate=from_der(secured.getpeercert(binary_form=True) or b""))
    except ssl.SSLCertVerificationError as error:
        trouble = None if insecure else Trouble.NOT_TRUSTED
        return replace(_shown(host, port), trouble=trouble, untrusted=error.verify_message)
    except ssl.SSLError as error:
        return Contact(None if insecure else _tls_trouble(error), error.reason or str(error))
    except (OSError, UnicodeError) as error:
        return Contact(_socket_trouble(error), getattr(error, "strerror", "") or str(error))


def speaks_tls(url: str) -> bool:
    """Whether the port of an http URL answers a TLS handshake."""
    host, port, _ = _place(url)
    try:
        return _shown(host, port).certificate is not None
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


def _shown(host: str, port: int) -> Contact:
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
