"""Who a request is from: by the certificate of its connection, else by a token, else by a password (spec 4.1).

A certificate that fails ends it, and so does a token that can be read; what is no credentials at all is passed over.
"""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.hono.http.requests import AdapterCall
from fleetrig.reference_server.platforms.hono.names.java_base64 import decoded_base64
from fleetrig.reference_server.platforms.hono.provisioning.by_secret import UNAUTHORIZED
from fleetrig.reference_server.platforms.hono.provisioning.sign_in import (
    HTTP,
    Denied,
    SignedIn,
    with_certificate,
    with_password,
    with_token,
)
from fleetrig.reference_server.platforms.hono.provisioning.steps import Step
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.simulator.contract.session import Session

NO_CLIENT_ID: Final = ""
BASIC: Final = "basic"
BEARER: Final = "bearer"
EMPTY_SEGMENT: Final = "path must not start with an empty segment"
MALFORMED_BASIC: Final = "the credentials of Basic are no Base64 of auth-id@tenant:password"


def authenticate(registry: Registry, call: AdapterCall, session: Session, now_us: int) -> SignedIn | Denied:
    if session.certificates:
        return _by_certificate(registry, call, session, now_us)
    header = call.request.header("authorization")
    if header is None:
        return _unauthorized("the request shows no certificate and has no Authorization")
    scheme, blank, credentials = header.partition(" ")
    if not blank or not scheme:
        return Denied(400, "Bad Request", "Authorization has no scheme and credentials with a blank between")
    if scheme.lower() == BEARER and registry.traits.takes_tokens:
        return _by_token(registry, call, credentials, now_us)
    if scheme.lower() != BASIC:
        return _unauthorized(f"Authorization is {scheme[:40]}: the adapter takes Basic and Bearer")
    return _by_basic(registry, call, credentials, now_us)


def _by_certificate(registry: Registry, call: AdapterCall, session: Session, now_us: int) -> SignedIn | Denied:
    """What is wrong with the certificate itself comes before all else."""
    found = with_certificate(registry, session.certificates, session.server_name, HTTP, NO_CLIENT_ID, now_us)
    if not call.begins_empty or Step.CERTIFICATE_VALIDATED not in found.steps:
        return found
    return _empty_segment(registry)


def _by_token(registry: Registry, call: AdapterCall, jwt: str, now_us: int) -> SignedIn | Denied:
    """That it says whose it is comes before all else."""
    found = with_token(registry, jwt, _named_in(call), HTTP, now_us)
    is_read = isinstance(found, SignedIn) or found.error != UNAUTHORIZED
    return _empty_segment(registry) if call.begins_empty and is_read else found


def _by_basic(registry: Registry, call: AdapterCall, credentials: str, now_us: int) -> SignedIn | Denied:
    try:
        both = decoded_base64(credentials).decode("utf-8", "replace")
    except ValueError:
        return Denied(400, "Bad Request", MALFORMED_BASIC)
    if call.begins_empty:
        return _empty_segment(registry)
    user, colon, password = both.partition(":")
    if not colon:
        return Denied(401, "malformed credentials", MALFORMED_BASIC)
    return with_password(registry, user, password, HTTP, NO_CLIENT_ID, now_us)


def _empty_segment(registry: Registry) -> Denied:
    """The adapter reads whom a request is for only when it knows the credentials."""
    status = 500 if registry.traits.crashes else 400
    return Denied(status, EMPTY_SEGMENT, "the path begins with two slashes", rollback=True)


def _named_in(call: AdapterCall) -> tuple[str, str] | None:
    """Tenant and auth-id in the URI, for a token that does not name them: as they are written there."""
    parts = call.request.target.split("/")
    return (parts[2], parts[3]) if len(parts) > 3 else None


def _unauthorized(reason: str) -> Denied:
    return Denied(401, UNAUTHORIZED, reason)
