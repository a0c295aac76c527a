"""A client certificate as a reverse proxy tells it: two headers (docs/contracts/hawkbit.md §3.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.conformance.expect import MissingCapability, expect
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import expect_document
from fleetrig.harness.platforms.hawkbit.conformance.api_client import tt
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
from fleetrig.harness.platforms.hawkbit.conformance.proxy_tolerance import behind_proxy, tolerating_proxies
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.start_properties import DDI, FORWARDED, TRUSTED_IPS, resting_on
from fleetrig.harness.platforms.hawkbit.settings import HEADER_AUTHORITY, HEADER_MODE
from fleetrig.harness.servers.address import is_loopback

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "certificate")

OURS: Final = "empty or has our address"
STRANGER: Final = "127.0.0.2"


def as_named(client: RowClient) -> Mapping[str, str]:
    """The start-up properties that rename these headers, split their lists otherwise, or count only for some."""
    one = client.generation
    if one.authorities_are_numbered:
        return {
            TRUSTED_IPS: OURS,
            f"{DDI}rp.cnHeader": one.identity_header,
            f"{DDI}rp.sslIssuerHashHeader": f"{one.authority_header}-%d",
        }
    return {
        TRUSTED_IPS: OURS,
        f"{DDI}rp.controllerIdHeader": one.identity_header,
        f"{DDI}rp.authorityHeader": one.authority_header,
        f"{DDI}rp.authoritiesSeparatorRegex": "[;,]",
    }


def trusted_authority(client: RowClient) -> str:
    """Switches certificate headers on for two authorities of our own; gives the second as it stands in the list."""
    before = client.settings.read(HEADER_AUTHORITY)
    separator = "," if client.generation.authorities_are_numbered else ", "
    first, second = client.name("Alpha"), client.name("Beta")
    client.settings.change(
        {HEADER_MODE: True, HEADER_AUTHORITY: separator.join([*([before] if before else []), first, second])}
    )
    return second


def identity(client: RowClient, controller_id: str) -> dict[str, str]:
    """The header that names the device; its name changed with 1.0."""
    return {client.generation.identity_header: controller_id}


def one_authority(client: RowClient, authority: str) -> dict[str, str]:
    """The simplest form of the header that names the issuer."""
    name = client.generation.authority_header
    return {f"{name}-1" if client.generation.authorities_are_numbered else name: authority}


def accepted_forms(client: RowClient, authority: str) -> list[dict[str, str]]:
    """Every form in which the issuer may be told."""
    name = client.generation.authority_header
    if client.generation.authorities_are_numbered:
        return [{f"{name}-1": authority}, {f"{name}-1": "foo", f"{name}-2": authority}]
    return [
        {name: authority},
        {name: f"foo,{authority}"},
        {name: f"foo;{authority}"},
        {name: f"CN=Other CA, O={client.name('Acme')},{authority} , L=Here"},
        {f"{name}-1": "foo", f"{name}-2": authority},
        {f"{name}-0": "foo", f"{name}-1": authority},
        {f"{name}-0": authority, f"{name}-1": "foo"},
        {name.lower(): authority},
    ]


def numbered_with_a_gap(client: RowClient, authority: str) -> dict[str, str]:
    """What comes after a missing number does not count."""
    name = client.generation.authority_header
    return {f"{name}-1": "foo", f"{name}-3": authority}


def refused_forms(client: RowClient, authority: str) -> list[dict[str, str]]:
    """A numbered header is one authority, never a list; and only ASCII blanks around one do not count."""
    name = client.generation.authority_header
    if client.generation.authorities_are_numbered:
        return []
    return [{f"{name}-1": f"foo,{authority}"}, {name: f"{authority}\u00a0"}]


def wait_until_seen(client: RowClient, authority: str) -> None:
    """Until devices are let in by certificate headers."""
    name = newcomer(client)
    headers = {**identity(client, name), **one_authority(client, authority)}
    client.until(CACHE_WITHIN_S, lambda: expect_let_in(client, name, headers))


def expect_let_in(client: RowClient, controller_id: str, headers: Mapping[str, str]) -> None:
    answer = client.ddi("GET", controller_id, headers=headers)
    expect(f"status of {answer.request} with {', '.join(headers)}", 200, answer.status)


@ROWS.row("S52", "accepted", "A device that a trusted authority vouches for is let in, and created when unknown")
def accepted(client: RowClient) -> None:
    authority = trusted_authority(client).swapcase()
    with tolerating_proxies(client, "headers that stand for certificates"), resting_on(as_named(client)):
        wait_until_seen(client, authority)
        for form in accepted_forms(client, authority):
            name = newcomer(client)
            expect_let_in(client, name, {**identity(client, name), **form})
            expect("updateStatus", "registered", expect_one(client, name)["updateStatus"])
    name = newcomer(client)
    headers = {**identity(client, name), **numbered_with_a_gap(client, authority)}
    expect_bare_401(client.ddi("GET", name, headers=headers))
    client.settings.change({HEADER_MODE: False})
    expect_kept_out(client, name, None, {**identity(client, name), **one_authority(client, authority)})
    expect_unknown(client, name)


@ROWS.row("S53", "refused", "Another device's certificate, or one of an unknown authority, is a bare 401")
def refused(client: RowClient) -> None:
    authority = trusted_authority(client)
    with tolerating_proxies(client, "headers that stand for certificates"), resting_on(as_named(client)):
        wait_until_seen(client, authority)
    name, other = newcomer(client), newcomer(client)
    for headers in (
        *({**identity(client, name), **form} for form in refused_forms(client, authority)),
        {**identity(client, other), **one_authority(client, authority)},
        {**identity(client, name), **one_authority(client, authority + "x")},
        identity(client, name),
        one_authority(client, authority),
    ):
        expect_bare_401(client.ddi("GET", name, headers=headers))
    for unknown in (name, other):
        expect_unknown(client, unknown)


@ROWS.row(
    "S54", "untrusted-address", "From an address that is not trusted no device is let in, whatever it presents",
    needs=("trusted_ips",),
)  # fmt: skip
def untrusted_address(client: RowClient) -> None:
    if not is_loopback(client.http.host) or behind_proxy(client):
        raise MissingCapability(
            "a loopback address, and no proxy or server.servlet.context-path: only there have we two addresses"
        )
    known, key, authority = device(client), gateway(client), trusted_authority(client)
    with resting_on(as_named(client)):
        wait_until_seen(client, authority)
    name = newcomer(client)
    certificate = {**identity(client, name), **one_authority(client, authority)}
    stranger = client.http.another(source=STRANGER)
    try:
        with resting_on({TRUSTED_IPS: "set, without 127.0.0.2", **FORWARDED}):
            refused_from(
                stranger,
                client,
                (
                    (name, certificate),
                    (name, {"Authorization": key}),
                    (known.controller_id, {"Authorization": tt(known)}),
                ),
            )
    finally:
        stranger.close()
    expect_unknown(client, name)
    expect_let_in(client, name, certificate)
    expect_document(client.poll(known))


def refused_from(stranger: ExactClient, client: RowClient, devices: Sequence[tuple[str, Mapping[str, str]]]) -> None:
    """None of them is let in, whatever it says of where it comes from."""
    for controller_id, headers in devices:
        path = f"/{client.tenant}/controller/v1/{controller_id}"
        expect_bare_401(stranger.call("GET", path, headers))
        expect_bare_401(stranger.call("GET", path, {**headers, "X-Forwarded-For": "127.0.0.1"}))
