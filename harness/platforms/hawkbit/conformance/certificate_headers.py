"""A client certificate as a reverse proxy tells it: two headers (spec/hawkbit.md §3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fleetrig.harness.conformance.expect import Missing, expect
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import expect_document
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import CACHE_WITHIN_S
from fleetrig.harness.platforms.hawkbit.conformance.device_helpers import (
    device,
    expect_bare_401,
    expect_kept_out,
    expect_one,
    expect_unknown,
    gateway,
    newcomer,
)
from fleetrig.harness.platforms.hawkbit.conformance.proxy_tolerance import as_sent, something_between
from fleetrig.harness.platforms.hawkbit.conformance.session import Session, tt
from fleetrig.harness.servers.address import is_loopback

ROWS: Final[Resource[Session]] = Resource("hawkbit", "certificate")

HEADER_MODE: Final = "authentication.header.enabled"
AUTHORITIES: Final = "authentication.header.authority"
STRANGER: Final = "127.0.0.2"


def trusted_authority(server: Session) -> str:
    """Switches certificate headers on for two authorities of our own; gives the second as it stands in the list."""
    before = server.setting(AUTHORITIES)
    separator = "," if server.generation.authorities_are_numbered else ", "
    first, second = server.name("Alpha"), server.name("Beta")
    server.configure_keys(
        {HEADER_MODE: True, AUTHORITIES: separator.join([*([before] if before else []), first, second])}
    )
    return second


def identity(server: Session, controller_id: str) -> dict[str, str]:
    """The header that names the device; its name changed with 1.0."""
    return {server.generation.identity_header: controller_id}


def one_authority(server: Session, authority: str) -> dict[str, str]:
    """The simplest form of the header that names the issuer."""
    name = server.generation.authority_header
    return {f"{name}-1" if server.generation.authorities_are_numbered else name: authority}


def accepted_forms(server: Session, authority: str) -> list[dict[str, str]]:
    """Every form in which the issuer may be told."""
    name = server.generation.authority_header
    if server.generation.authorities_are_numbered:
        return [{f"{name}-1": authority}, {f"{name}-1": "foo", f"{name}-2": authority}]
    return [
        {name: authority},
        {name: f"foo,{authority}"},
        {name: f"foo;{authority}"},
        {f"{name}-1": "foo", f"{name}-2": authority},
        {f"{name}-0": "foo", f"{name}-1": authority},
        {f"{name}-0": authority, f"{name}-1": "foo"},
        {name.lower(): authority},
    ]


def numbered_with_a_gap(server: Session, authority: str) -> dict[str, str]:
    """What comes after a missing number does not count."""
    name = server.generation.authority_header
    return {f"{name}-1": "foo", f"{name}-3": authority}


def wait_until_seen(server: Session, authority: str) -> None:
    """Until devices are let in by certificate headers."""
    name = newcomer(server)
    headers = {**identity(server, name), **one_authority(server, authority)}
    server.until(CACHE_WITHIN_S, lambda: expect_let_in(server, name, headers))


def expect_let_in(server: Session, controller_id: str, headers: Mapping[str, str]) -> None:
    answer = server.ddi("GET", controller_id, headers=headers)
    expect(f"status of {answer.request} with {', '.join(headers)}", 200, answer.status)


@ROWS.row("S52", "accepted", "A device that a trusted authority vouches for is let in, and created when unknown")
def accepted(server: Session) -> None:
    authority = trusted_authority(server).swapcase()
    with as_sent(server, "headers that stand for certificates"):
        wait_until_seen(server, authority)
        for form in accepted_forms(server, authority):
            name = newcomer(server)
            expect_let_in(server, name, {**identity(server, name), **form})
            expect("updateStatus", "registered", expect_one(server, name)["updateStatus"])
    name = newcomer(server)
    headers = {**identity(server, name), **numbered_with_a_gap(server, authority)}
    expect_bare_401(server.ddi("GET", name, headers=headers))
    server.configure_keys({HEADER_MODE: False})
    expect_kept_out(server, name, None, {**identity(server, name), **one_authority(server, authority)})
    expect_unknown(server, name)


@ROWS.row("S53", "refused", "Another device's certificate, or one of an unknown authority, is a bare 401")
def refused(server: Session) -> None:
    authority = trusted_authority(server)
    with as_sent(server, "headers that stand for certificates"):
        wait_until_seen(server, authority)
    name, other = newcomer(server), newcomer(server)
    for headers in (
        {**identity(server, other), **one_authority(server, authority)},
        {**identity(server, name), **one_authority(server, authority + "x")},
        identity(server, name),
        one_authority(server, authority),
    ):
        expect_bare_401(server.ddi("GET", name, headers=headers))
    for unknown in (name, other):
        expect_unknown(server, unknown)


@ROWS.row(
    "S54", "untrusted-address", "From an address that is not trusted no device is let in, whatever it presents",
    needs=("trusted_ips",),
)  # fmt: skip
def untrusted_address(server: Session) -> None:
    if not is_loopback(server.client.host) or something_between(server):
        raise Missing("a loopback address and nothing in between: only there have we two addresses to come from")
    known, key, authority = device(server), gateway(server), trusted_authority(server)
    wait_until_seen(server, authority)
    name = newcomer(server)
    certificate = {**identity(server, name), **one_authority(server, authority)}
    stranger = server.client.another(source=STRANGER)
    try:
        for controller_id, headers in (
            (name, certificate),
            (name, {"Authorization": key}),
            (known.controller_id, {"Authorization": tt(known)}),
        ):
            path = f"/{server.tenant}/controller/v1/{controller_id}"
            expect_bare_401(stranger.call("GET", path, headers))
            expect_bare_401(stranger.call("GET", path, {**headers, "X-Forwarded-For": "127.0.0.1"}))
    finally:
        stranger.close()
    expect_unknown(server, name)
    expect_let_in(server, name, certificate)
    expect_document(server.poll(known))
